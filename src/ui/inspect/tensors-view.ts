import type { ModelTensor } from "../../engine/inspect/open-model.js";
import { elementsOf } from "../../engine/inspect/tensor-types.js";
import type { TensorStats } from "../../engine/inspect/tensor-stats.js";
import { formatBytes } from "../../engine/system/format-bytes.js";
import { safeLine } from "../safe-text.js";
import { counted, parameterCount, table, type ViewOptions } from "./layout.js";

export type StatsByName = ReadonlyMap<string, TensorStats | null>;

/** A line per tensor, then the sum. `stats` adds columns. */
export function tensorsView(
  tensors: readonly ModelTensor[],
  stats: StatsByName | undefined,
  { colours }: ViewOptions,
): string {
  const titles = ["tensor", "type", "shape", "bytes"];
  const rows = tensors.map((tensor) => [
    safeLine(tensor.name),
    safeLine(tensor.type),
    `[${tensor.shape.join(", ")}]`,
    String(tensor.bytes),
    ...(stats ? statCells(stats.get(tensor.name)) : []),
  ]);
  const all = [[...titles, ...(stats ? ["min", "max", "mean", "std", "nan"] : [])], ...rows];
  const [head = "", ...lines] = table(all, [3, 4, 5, 6, 7, 8]);
  const bytes = tensors.reduce((sum, tensor) => sum + tensor.bytes, 0);
  const elements = tensors.reduce((sum, tensor) => sum + elementsOf(tensor), 0);
  const infinite = [...(stats ?? [])].filter(([, one]) => one !== null && one.inf > 0);
  return [
    colours.bold(head),
    ...lines,
    "",
    `${counted(tensors.length, "tensor")}, ${parameterCount(elements)} elements, ${formatBytes(bytes)}`,
    ...infinite.map(([name, one]) => `${safeLine(name)} holds ${one?.inf} infinite values`),
  ].join("\n");
}

function statCells(stats: TensorStats | null | undefined): string[] {
  if (!stats) return ["type cannot be read", "", "", "", ""];
  const { min, max, mean, std, nan } = stats;
  return [...[min, max, mean, std].map((value) => (value === null ? "-" : shortNumber(value))), String(nan)];
}

/** Five digits, in whichever form is shorter to read. */
function shortNumber(value: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  return size >= 1e-4 && size < 1e6 ? String(Number(value.toPrecision(5))) : value.toExponential(3);
}
