import { characterRanges } from "../engine/classify/character-ranges.js";
import { rankClasses, type Classifier, type Scored } from "../engine/classify/classifier.js";
import type { Classified } from "../engine/client/classify-texts.js";
import type { TextSession } from "../engine/client/text-session.js";
import { safeLine } from "./safe-text.js";

/** The likeliest class of a text or token, with all logits. */
interface Verdict extends Scored {
  logits: number[];
  /** present with --top-k: the likeliest classes, best first */
  top?: Scored[];
}

export interface TokenVerdict extends Verdict {
  text: string;
  /** Characters (code points) of the text that the token covers, the end excluded; null when the ids spell no text. */
  start: number | null;
  end: number | null;
}

/** What --json prints: one verdict, or one for each token. */
export type ClassificationDocument = Verdict | { tokens: TokenVerdict[] };

export async function classificationDocument(
  session: TextSession,
  classifier: Classifier,
  classified: Classified,
  topK: number | undefined,
): Promise<ClassificationDocument> {
  const verdict = (logits: Float32Array): Verdict => {
    const ranked = rankClasses(classifier, logits, topK ?? 1);
    return { ...ranked[0]!, logits: Array.from(logits), ...(topK === undefined ? {} : { top: ranked }) };
  };
  if (classifier.kind === "sequence") return verdict(classified.rows[0]!);
  const places = await placesOfTokens(session, classified);
  return { tokens: classified.rows.map((logits, i) => ({ ...places[i]!, ...verdict(logits) })) };
}

/** Special tokens stand for themselves and cover no characters. */
async function placesOfTokens(
  session: TextSession,
  { input, tokens }: Classified,
): Promise<{ text: string; start: number | null; end: number | null }[]> {
  const special = new Set(session.facts.specialTokens.map(({ id }) => id));
  const pieces = await session.pieces(tokens);
  const spelled = pieces.map((bytes, i) => (special.has(tokens[i]!) ? new Uint8Array() : bytes));
  const text = "text" in input ? input.text : Buffer.concat(spelled).toString("utf8");
  const ranges = characterRanges(spelled, text);
  const characters = Array.from(text);
  const prefix = "text" in input ? session.facts.prefixTokens.length : 0;
  return tokens.map((id, i) => {
    const own = Buffer.from(pieces[i]!).toString("utf8");
    if (!ranges) return { text: own, start: null, end: null };
    const { start, end } = i < prefix ? { start: 0, end: 0 } : ranges[i]!;
    return { text: special.has(id) ? own : characters.slice(start, end).join(""), start, end };
  });
}

/** A line per text; a line per token, with where it stands. Columns have tabs between them. */
export function classificationText(document: ClassificationDocument): string {
  if (!("tokens" in document)) return verdictColumns(document).join("\t");
  const lines = document.tokens.map((token) =>
    [
      token.start === null ? "?" : `${token.start}-${token.end}`,
      ...verdictColumns(token),
      JSON.stringify(safeLine(token.text)),
    ].join("\t"),
  );
  return lines.join("\n");
}

function verdictColumns({ label, score, top }: Verdict): string[] {
  return (top ?? [{ label, score }]).flatMap((one) => [safeLine(one.label), one.score.toFixed(4)]);
}
