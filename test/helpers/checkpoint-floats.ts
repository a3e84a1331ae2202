import { readFileSync } from "node:fs";
import { openCheckpoint } from "../../src/engine/formats/checkpoint.js";
import { convertFloats, isFloatType } from "../../src/engine/tensors/float-convert.js";

export interface Values<Data> {
  readonly shape: readonly number[];
  readonly data: Data;
}

/** Every tensor of a checkpoint as float32. */
export async function checkpointFloats(folder: string): Promise<Map<string, Values<Float32Array>>> {
  const { tensors } = await openCheckpoint(folder);
  const files = new Map<string, Buffer>();
  return new Map(
    [...tensors.values()].map(({ name, dtype, shape, file, offset, bytes }) => {
      if (!files.has(file)) files.set(file, readFileSync(file));
      if (!isFloatType(dtype)) throw new Error(`${name} is ${dtype}`);
      const stored = Uint8Array.from(files.get(file)!.subarray(offset, offset + bytes));
      const data = new Float32Array(bytes / (dtype === "F32" ? 4 : 2));
      convertFloats(stored, dtype, new Uint8Array(data.buffer), "F32");
      return [name, { shape, data }];
    }),
  );
}
