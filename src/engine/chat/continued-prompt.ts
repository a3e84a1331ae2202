import type { Segment } from "./split-specials.js";

/** A prompt and the answer to it, as text and as the tokens the model has read and written. */
export interface SpokenPrompt {
  readonly segments: readonly Segment[];
  /** everything the model wrote behind it */
  readonly raw: string;
  /** the token that ended it; absent where none did */
  readonly stop?: { readonly id: number; readonly text: string };
  /** of the prompt and the answer, without the end token */
  readonly ids: readonly number[];
}

/**
 * Does a prompt go on where an earlier one and its answer ended? Then the model's own tokens can stay: an answer that
 * is tokenised again often comes out in other tokens, and everything behind the first of them would be read again.
 * Special tokens have to be special in both; text that only looks the same does not count.
 * @returns the earlier tokens and the segments behind them; undefined when this prompt is another one
 */
export function continuationOf(
  { segments, raw, stop, ids }: SpokenPrompt,
  next: readonly Segment[],
): { ids: readonly number[]; rest: readonly Segment[] } | undefined {
  const said = joinTexts([...segments, { kind: "text", text: raw }]);
  const last = said.length - 1;
  const isSame = said.every((segment, i) => {
    const other = next[i];
    if (other === undefined || segment.kind !== other.kind) return false;
    // what a family closes behind an answer, such as unfinished reasoning, goes on in the same text
    return i === last && segment.kind === "text"
      ? other.text.startsWith(segment.text)
      : segment.text === other.text;
  });
  if (!isSame) return undefined;
  const more = next[last]!.text.slice(said[last]!.text.length);
  const rest = next.slice(said.length);
  if (more !== "") return { ids, rest: [{ kind: "text", text: more }, ...rest] };
  const ended = stop !== undefined && rest[0]?.kind === "special" && rest[0].text === stop.text;
  return ended ? { ids: [...ids, stop.id], rest: rest.slice(1) } : { ids, rest };
}

function joinTexts(segments: readonly Segment[]): Segment[] {
  const joined: Segment[] = [];
  for (const segment of segments) {
    const last = joined.at(-1);
    if (segment.kind === "text" && segment.text === "") continue;
    if (segment.kind === "text" && last?.kind === "text") {
      joined[joined.length - 1] = { kind: "text", text: last.text + segment.text };
    } else joined.push(segment);
  }
  return joined;
}
