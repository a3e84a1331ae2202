import { describe, expect, it } from "vitest";
import { elementDecoder } from "../../../src/engine/inspect/decode-elements.js";
import { StatsGatherer } from "../../../src/engine/inspect/tensor-stats.js";

function statsOf(...pieces: number[][]) {
  const gatherer = new StatsGatherer();
  for (const piece of pieces) gatherer.add(Float64Array.from(piece));
  return gatherer.result();
}

describe("StatsGatherer", () => {
  it("gives the same numbers however the elements are cut", () => {
    const values = Array.from({ length: 101 }, (_, i) => Math.sin(i) * 3 + 100);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const std = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
    for (const cut of [1, 7, 50, 100]) {
      const stats = statsOf(values.slice(0, cut), values.slice(cut));
      expect(stats.min).toBe(Math.min(...values));
      expect(stats.max).toBe(Math.max(...values));
      expect(stats.mean).toBeCloseTo(mean, 12);
      expect(stats.std).toBeCloseTo(std, 12);
    }
  });

  it("keeps its digits where the mean is large and the spread small", () => {
    const stats = statsOf([1e9 + 1, 1e9 - 1], [1e9 + 1, 1e9 - 1]);
    expect(stats).toMatchObject({ mean: 1e9, std: 1 });
    expect(statsOf([0.1, 0.1, 0.1]).std).toBe(0);
  });

  it("counts NaN and infinities and leaves them out", () => {
    expect(statsOf([NaN, 1, Infinity], [-Infinity, 3, NaN])).toEqual({
      min: 1,
      max: 3,
      mean: 2,
      std: 1,
      nan: 2,
      inf: 2,
    });
    expect(statsOf([NaN])).toEqual({ min: null, max: null, mean: null, std: null, nan: 1, inf: 0 });
    expect(statsOf()).toMatchObject({ min: null, nan: 0 });
  });
});

describe("elementDecoder", () => {
  const decode = (type: string, bytes: Uint8Array): number[] => [...elementDecoder(type)!.decode(bytes)];
  const bytesOf = (array: ArrayBufferView): Uint8Array =>
    new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

  it.each<[string, ArrayBufferView, number[]]>([
    ["F32", Float32Array.of(1.5, -2), [1.5, -2]],
    ["F64", Float64Array.of(0.1, -1e300), [0.1, -1e300]],
    ["BF16", Uint16Array.of(0x3f80, 0xc000, 0x7f80), [1, -2, Infinity]],
    ["F16", Uint16Array.of(0x3c00, 0xc000, 0x0001), [1, -2, 2 ** -24]],
    ["I64", BigInt64Array.of(-5n, 7n), [-5, 7]],
    ["U64", BigUint64Array.of(9n), [9]],
    ["I32", Int32Array.of(-70000), [-70000]],
    ["U32", Uint32Array.of(4e9), [4e9]],
    ["I16", Int16Array.of(-300), [-300]],
    ["U16", Uint16Array.of(65535), [65535]],
    ["I8", Int8Array.of(-128), [-128]],
    ["U8", Uint8Array.of(200), [200]],
    ["BOOL", Uint8Array.of(1, 0), [1, 0]],
    // torch.float8_e4m3fn: largest 448, smallest 2^-9; e5m2: largest 57344, smallest 2^-16
    ["F8_E4M3", Uint8Array.of(0x7e, 0x01, 0xb8, 0x7f), [448, 2 ** -9, -1, NaN]],
    ["F8_E5M2", Uint8Array.of(0x7b, 0x01, 0xbc, 0x7c, 0xfd), [57344, 2 ** -16, -1, Infinity, NaN]],
    ["F8_E4M3FNUZ", Uint8Array.of(0x7f, 0x80, 0x01), [240, NaN, 2 ** -10]],
    ["F8_E5M2FNUZ", Uint8Array.of(0x7f, 0x80, 0x01), [57344, NaN, 2 ** -17]],
    ["F8_E8M0", Uint8Array.of(127, 128, 0, 255), [1, 2, 2 ** -127, NaN]],
  ])("reads %s", (type, array, expected) => {
    expect(decode(type, bytesOf(array))).toEqual(expected);
    // from a place in a buffer that no wider number starts on
    const shifted = new Uint8Array(array.byteLength + 1);
    shifted.set(bytesOf(array), 1);
    expect(decode(type, shifted.subarray(1))).toEqual(expected);
  });

  it("leaves what it does not know to others", () => {
    for (const type of ["Q4_0", "F4", "C64", "toString"]) expect(elementDecoder(type)).toBeUndefined();
  });
});
