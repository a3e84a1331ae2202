import { planTensors } from "../convert/plan-checkpoint.js";
import type { OutputType } from "../tensors/output-type.js";
import type { ModelTensor } from "./open-model.js";
import { typeName, typeShares } from "./tensor-types.js";
import type { KnownModel } from "./understand.js";

/**
 * The tensors as they are when the model runs: those of a GGUF file, or what the conversion of a checkpoint gives.
 * @param type output type of that conversion
 */
export function runningWeights(
  model: KnownModel,
  type: OutputType | "auto",
): { readonly tensors: readonly ModelTensor[]; readonly type: string } {
  const { checkpoint, description, family } = model;
  if (!checkpoint || !description) {
    return { tensors: model.tensors, type: typeName(typeShares(model.tensors), model.values) };
  }
  const plan = planTensors(checkpoint, family, description, { type });
  const tensors = plan.tensors.map(({ name, type: ggml, dims, bytes }) => {
    return { name, type: ggml, shape: dims.toReversed(), bytes, file: model.label, offset: 0 };
  });
  return { tensors, type: plan.type };
}
