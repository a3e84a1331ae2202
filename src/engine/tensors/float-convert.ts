import { f16FromF32Bits } from "./float-bits.js";
import { bf16ToF16Table, f16ToBf16Table, f16ToF32Table } from "./float-tables.js";

/** The element types a checkpoint's weights may have, by their ggml names. */
export type FloatType = "F32" | "F16" | "BF16";

export function isFloatType(name: string): name is FloatType {
  return name === "F32" || name === "F16" || name === "BF16";
}

/** Bytes of one element. */
export function floatBytes(type: FloatType): 2 | 4 {
  return type === "F32" ? 4 : 2;
}

/**
 * Converts `input.byteLength / floatBytes(from)` elements into `output`.
 * Both start at a multiple of four bytes of their buffers and must not overlap; `output` has room for all elements.
 * @returns how many of the converted elements are infinite or not a number
 */
export function convertFloats(input: Uint8Array, from: FloatType, output: Uint8Array, to: FloatType): number {
  const count = input.byteLength / floatBytes(from);
  if (from === to) {
    output.set(input);
    return countNonFinite(output.subarray(0, input.byteLength), to);
  }
  switch (`${from}>${to}` as const) {
    case "BF16>F16":
      return bf16ToF16(input, output, count);
    case "F16>BF16":
      byTable16(u16(input, count), u16(output, count), f16ToBf16Table());
      return countNonFinite(output.subarray(0, count * 2), to);
    case "BF16>F32":
      bf16ToF32(input, output, count);
      return countNonFinite(output.subarray(0, count * 4), to);
    case "F16>F32":
      byTable32(u16(input, count), u32(output, count), f16ToF32Table());
      return countNonFinite(output.subarray(0, count * 4), to);
    case "F32>F16":
      return f32ToF16(u32(input, count), u16(output, count));
    case "F32>BF16":
      f32ToBf16(u32(input, count), u16(output, count));
      return countNonFinite(output.subarray(0, count * 2), to);
    default:
      throw new Error(`no conversion from ${from} to ${to}`);
  }
}

/** How many elements are infinite or not a number. */
export function countNonFinite(bytes: Uint8Array, type: FloatType): number {
  // An exponent of all ones carries into the bit above it when one is added at its lowest bit.
  const [mask, carry] = EXPONENT[type];
  const words = u32(bytes, bytes.byteLength >>> 2);
  let flags = 0;
  for (let i = 0; i < words.length; i++) flags |= (words[i]! & mask) + carry;
  const tail = bytes.byteLength & 2 ? u16(bytes, bytes.byteLength / 2)[bytes.byteLength / 2 - 1]! : 0;
  flags |= (tail & mask & 0xffff) + (carry & 0xffff);
  const top = type === "F32" ? 0x80000000 : 0x80008000;
  return (flags & top) === 0 ? 0 : countSlowly(bytes, type);
}

const EXPONENT = {
  F32: [0x7f800000, 0x00800000],
  F16: [0x7c007c00, 0x04000400],
  BF16: [0x7f807f80, 0x00800080],
} as const;

function countSlowly(bytes: Uint8Array, type: FloatType): number {
  const mask = type === "F32" ? 0x7f800000 : type === "F16" ? 0x7c00 : 0x7f80;
  const elements = type === "F32" ? u32(bytes, bytes.byteLength / 4) : u16(bytes, bytes.byteLength / 2);
  let found = 0;
  for (let i = 0; i < elements.length; i++) if ((elements[i]! & mask) === mask) found++;
  return found;
}

/**
 * bfloat16 has float32's exponent, so inside float16's normal range the conversion is exact: rebias the exponent by
 * 112 and shift by the 3 extra mantissa bits. That is done for two elements in one integer, eight at a time (half
 * again as fast as two at a time); whatever lies outside goes through the table.
 */
function bf16ToF16(input: Uint8Array, output: Uint8Array, count: number): number {
  const from = i32(input, count >>> 1);
  const to = i32(output, count >>> 1);
  const unrolled = from.length & ~3;
  let nonFinite = 0;
  for (let i = 0; i < unrolled; i += 4) {
    const a = from[i]!;
    const b = from[i + 1]!;
    const c = from[i + 2]!;
    const d = from[i + 3]!;
    if (((outsideNormal(a) | outsideNormal(b) | outsideNormal(c) | outsideNormal(d)) & 0xf000f000) === 0) {
      to[i] = rebias(a);
      to[i + 1] = rebias(b);
      to[i + 2] = rebias(c);
      to[i + 3] = rebias(d);
    } else {
      for (let j = i; j < i + 4; j++) nonFinite += convertPair(from, to, j);
    }
  }
  for (let i = unrolled; i < from.length; i++) nonFinite += convertPair(from, to, i);
  if (count & 1) {
    const last = bf16ToF16Table()[u16(input, count)[count - 1]!]!;
    u16(output, count)[count - 1] = last;
    nonFinite += isNonFiniteF16(last);
  }
  return nonFinite;
}

/** Of each half, the top four bits of the result are zero exactly when 2^-14 <= |x| < 2^16. */
function outsideNormal(pair: number): number {
  const steps = (pair & 0x7fff7fff) - 0x38803880;
  return steps | (steps + 0x01000100);
}

function rebias(pair: number): number {
  return (pair & 0x80008000) | (((pair & 0x7fff7fff) - 0x38003800) << 3);
}

function convertPair(from: Int32Array, to: Int32Array, i: number): number {
  const pair = from[i]!;
  if ((outsideNormal(pair) & 0xf000f000) === 0) {
    to[i] = rebias(pair);
    return 0;
  }
  const table = bf16ToF16Table();
  const low = table[pair & 0xffff]!;
  const high = table[pair >>> 16]!;
  to[i] = low | (high << 16);
  return isNonFiniteF16(low) + isNonFiniteF16(high);
}

function isNonFiniteF16(bits: number): 0 | 1 {
  return (bits & 0x7c00) === 0x7c00 ? 1 : 0;
}

function f32ToF16(from: Uint32Array, to: Uint16Array): number {
  let nonFinite = 0;
  for (let i = 0; i < from.length; i++) {
    const bits = from[i]!;
    const magnitude = bits & 0x7fffffff;
    if (magnitude >= 0x38800000 && magnitude < 0x477ff000) {
      to[i] = ((bits >>> 16) & 0x8000) | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
    } else {
      const half = f16FromF32Bits(bits);
      nonFinite += isNonFiniteF16(half);
      to[i] = half;
    }
  }
  return nonFinite;
}

function f32ToBf16(from: Uint32Array, to: Uint16Array): void {
  for (let i = 0; i < from.length; i++) {
    const bits = from[i]! | 0;
    to[i] =
      (bits & 0x7fffffff) <= 0x7f800000 ? (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16 : (bits >>> 16) | 0x40;
  }
}

/** Two elements per step: twice as fast as one by one. */
function bf16ToF32(input: Uint8Array, output: Uint8Array, count: number): void {
  const from = i32(input, count >>> 1);
  const to = i32(output, count);
  for (let i = 0; i < from.length; i++) {
    const pair = from[i]!;
    to[2 * i] = pair << 16;
    to[2 * i + 1] = pair & 0xffff0000;
  }
  if (count & 1) to[count - 1] = u16(input, count)[count - 1]! << 16;
}

function byTable16(from: Uint16Array, to: Uint16Array, table: Uint16Array): void {
  for (let i = 0; i < from.length; i++) to[i] = table[from[i]!]!;
}

function byTable32(from: Uint16Array, to: Uint32Array, table: Uint32Array): void {
  for (let i = 0; i < from.length; i++) to[i] = table[from[i]!]!;
}

function u16(bytes: Uint8Array, length: number): Uint16Array {
  return new Uint16Array(bytes.buffer, bytes.byteOffset, length);
}

function u32(bytes: Uint8Array, length: number): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, length);
}

function i32(bytes: Uint8Array, length: number): Int32Array {
  return new Int32Array(bytes.buffer, bytes.byteOffset, length);
}
