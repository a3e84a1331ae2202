import { parseModelReference } from "../engine/hub/model-reference.js";

/** What the models that come with parley can do, for those who take one for more than it is. */
const LIMITS: Readonly<Record<string, string>> = {
  "pocket-cwm": "knows small Python programs and sums, nothing else. A real one: -m facebook/cwm",
  "pocket-csm": "speaks digits and thirty everyday words, nothing else. A real one: -m sesame/csm-1b",
};

/** Says what a bundled model is limited to, wherever it could be taken for what its family can do. */
export async function noteBundled(model: string, note: (text: string) => void): Promise<void> {
  const reference = await parseModelReference(model);
  if (reference.kind !== "bundled") return;
  const limits = LIMITS[reference.name];
  if (limits !== undefined) note(`The bundled ${reference.name} ${limits}`);
}
