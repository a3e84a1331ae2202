// A safetensors file of random bf16 weights, for checkpoints that are measured and tested with.
import { closeSync, openSync, writeSync } from "node:fs";

/** Elements written at a time. */
const CHUNK = 1 << 20;
const BF16_ONE = 0x3f80;

/**
 * Numbers are uniform in [-scale, scale), or 1 where `scale` is undefined; the same seed gives the same file.
 * @param {string} path
 * @param {readonly { name: string, shape: readonly number[], scale: number | undefined }[]} tensors in the file's order,
 *   outermost dimension first
 * @param {number} seed
 * @returns {number} how many weights were written
 */
export function writeRandomSafetensors(path, tensors, seed) {
  const header = { __metadata__: { format: "pt" } };
  let offset = 0;
  for (const { name, shape } of tensors) {
    const end = offset + 2 * elementsOf(shape);
    header[name] = { dtype: "BF16", shape, data_offsets: [offset, end] };
    offset = end;
  }
  const text = JSON.stringify(header);
  const padded = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));

  const file = openSync(path, "w");
  writeSync(file, length);
  writeSync(file, padded);
  const halves = new Uint16Array(CHUNK);
  const fillRandom = randomFill(halves, seed);
  for (const { shape, scale } of tensors) {
    const elements = elementsOf(shape);
    for (let done = 0; done < elements; done += CHUNK) {
      const count = Math.min(CHUNK, elements - done);
      if (scale === undefined) halves.fill(BF16_ONE, 0, count);
      else fillRandom(count, scale);
      writeSync(file, new Uint8Array(halves.buffer, 0, 2 * count));
    }
  }
  closeSync(file);
  return offset / 2;
}

function elementsOf(shape) {
  return shape.reduce((product, size) => product * size, 1);
}

/** Fills `halves` with bf16 numbers, from xorshift32. */
function randomFill(halves, seed) {
  const floats = new Float32Array(halves.length);
  const bits = new Uint32Array(floats.buffer);
  let state = seed >>> 0 || 1;
  return (count, scale) => {
    for (let i = 0; i < count; i++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      floats[i] = (state | 0) * (scale / 2 ** 31);
      halves[i] = bits[i] >>> 16;
    }
  };
}
