import { bf16FromF32Bits, f16FromF32Bits, f32FromF16Bits } from "./float-bits.js";

/*
 * Result bits for each of the 65,536 bit patterns of a 16-bit float. Each is filled when it is first asked for, in some
 * milliseconds: most commands convert nothing.
 */

export const f16ToF32Table = once(() =>
  Uint32Array.from({ length: 65536 }, (_, bits) => f32FromF16Bits(bits)),
);

export const f16ToBf16Table = once(() => Uint16Array.from(f16ToF32Table(), (bits) => bf16FromF32Bits(bits)));

export const bf16ToF16Table = once(() =>
  Uint16Array.from({ length: 65536 }, (_, bits) => f16FromF32Bits((bits << 16) >>> 0)),
);

function once<Table>(make: () => Table): () => Table {
  let table: Table | undefined;
  return () => (table ??= make());
}
