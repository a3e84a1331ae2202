import { parseModelReference } from "../engine/hub/model-reference.js";

/** Says that a bundled model is random numbers, wherever its voice could be taken for what a real one sounds like. */
export async function noteUntrained(model: string, note: (text: string) => void): Promise<void> {
  const reference = await parseModelReference(model);
  if (reference.kind === "bundled") {
    note(
      `${reference.name} is untrained: what it says is noise. Name a real model, as sesame/csm-1b, with -m, in a chat with /set speech-model.`,
    );
  }
}
