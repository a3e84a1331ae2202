import type { WantedTypes } from "../family.js";
import { chooseTensorTypes, type MixtureTensor } from "../../tensors/mixture.js";
import { isQuantized } from "../../tensors/ggml-types.js";
import { outputTypeFacts, type OutputType } from "../../tensors/output-type.js";

/**
 * Tensor types of a CSM. Backbone and depth decoder get the mixture a llama of their shape gets. Embedding rows are
 * looked up, not multiplied with: they keep eight bits. The codec stays in floating point, its codebooks, norms and
 * biases in float32: what comes next to the waveform suffers most from rounding.
 */
export function csmTypes(wanted: WantedTypes, tensors: readonly MixtureTensor[]): string[] {
  const { type, depthType = type } = wanted;
  const chosen = new Map<string, string>();
  for (const [prefix, partType] of [
    ["", type],
    ["depth.", depthType],
  ] as const) {
    const base = outputTypeFacts(partType).ggmlType;
    const part = tensors.filter(({ name }) => partOf(name) === prefix);
    const names = part.map(({ name, dims }) => ({ name: llamaName(name.slice(prefix.length)), dims }));
    const layers = new Set(names.flatMap(({ name }) => /^blk\.(\d+)\./.exec(name)?.[1] ?? [])).size;
    for (const [i, ggmlName] of chooseTensorTypes(partType, names, layers).entries()) {
      const { name, dims } = part[i]!;
      chosen.set(name, isTable(name) && isQuantized(base) ? tableType(dims[0]!) : ggmlName);
    }
  }
  return tensors.map(({ name, dims }) =>
    name.startsWith("mimi.") ? codecType(type, name, dims) : chosen.get(name)!,
  );
}

function partOf(name: string): string {
  return name.startsWith("mimi.") ? "mimi." : name.startsWith("depth.") ? "depth." : "";
}

/** Heads are numbered per codebook; each is an output head to the mixture. */
function llamaName(name: string): string {
  return name.replace(/^output\.\d+\.weight$/, "output.weight");
}

function isTable(name: string): boolean {
  return name.endsWith("_embd.weight");
}

function tableType(width: number): string {
  return width % 32 === 0 ? "Q8_0" : "F16";
}

function codecType(type: OutputType, name: string, dims: readonly number[]): string {
  const matrix = dims.length > 1 && !name.includes(".codebook.");
  return matrix && type !== "f32" ? "F16" : "F32";
}
