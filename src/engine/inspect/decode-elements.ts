import { convertFloats, isFloatType } from "../tensors/float-convert.js";

/** Turns the bytes of some elements into numbers. */
export type ElementDecoder = (bytes: Uint8Array) => Float32Array | Float64Array;

/** Bytes that a typed array starts on. */
const ALIGNMENT = 8;

/** Sign, exponent and mantissa of an 8-bit float; what the largest exponent means differs by format. */
interface SmallFloat {
  readonly exponentBits: number;
  readonly mantissaBits: number;
  readonly bias: number;
  readonly special: (bits: number) => number | undefined;
}

/** The OCP 8-bit formats, and those that name no infinity and one NaN (fnuz), as torch defines them. */
const SMALL_FLOATS: ReadonlyMap<string, SmallFloat> = new Map(
  Object.entries<SmallFloat>({
    F8_E4M3: {
      exponentBits: 4,
      mantissaBits: 3,
      bias: 7,
      special: (bits) => ((bits & 0x7f) === 0x7f ? NaN : undefined),
    },
    F8_E5M2: {
      exponentBits: 5,
      mantissaBits: 2,
      bias: 15,
      special: (bits) => {
        if ((bits & 0x7c) !== 0x7c) return undefined;
        return (bits & 3) !== 0 ? NaN : bits & 0x80 ? -Infinity : Infinity;
      },
    },
    F8_E4M3FNUZ: {
      exponentBits: 4,
      mantissaBits: 3,
      bias: 8,
      special: (bits) => (bits === 0x80 ? NaN : undefined),
    },
    F8_E5M2FNUZ: {
      exponentBits: 5,
      mantissaBits: 2,
      bias: 16,
      special: (bits) => (bits === 0x80 ? NaN : undefined),
    },
  }),
);

/**
 * A decoder for the types that need no native code; undefined for the others.
 * @param type of safetensors or GGUF: "BF16", "F8_E4M3", "I32"
 */
export function elementDecoder(
  type: string,
): { readonly bytes: number; readonly decode: ElementDecoder } | undefined {
  if (isFloatType(type)) {
    const bytes = type === "F32" ? 4 : 2;
    return { bytes, decode: (input) => asFloat32(input, type, bytes) };
  }
  const small = SMALL_FLOATS.get(type) ?? (type === "F8_E8M0" ? "power" : undefined);
  if (small !== undefined) {
    const table = Float32Array.from({ length: 256 }, (_, bits) =>
      small === "power" ? (bits === 255 ? NaN : 2 ** (bits - 127)) : smallFloat(bits, small),
    );
    return { bytes: 1, decode: (input) => Float32Array.from(input, (bits) => table[bits]!) };
  }
  const whole = NUMBER_ARRAYS.get(type);
  return whole && { bytes: whole.BYTES_PER_ELEMENT, decode: (input) => plainNumbers(aligned(input), whole) };
}

type NumberArray =
  | typeof Float64Array
  | typeof BigInt64Array
  | typeof BigUint64Array
  | typeof Int32Array
  | typeof Uint32Array
  | typeof Int16Array
  | typeof Uint16Array
  | typeof Int8Array
  | typeof Uint8Array;

const NUMBER_ARRAYS: ReadonlyMap<string, NumberArray> = new Map<string, NumberArray>([
  ["F64", Float64Array],
  ["I64", BigInt64Array],
  ["U64", BigUint64Array],
  ["I32", Int32Array],
  ["U32", Uint32Array],
  ["I16", Int16Array],
  ["U16", Uint16Array],
  ["I8", Int8Array],
  ["U8", Uint8Array],
  ["BOOL", Uint8Array],
]);

function plainNumbers(bytes: Uint8Array, Kind: NumberArray): Float64Array {
  const buffer = bytes.buffer as ArrayBuffer;
  const values = new Kind(buffer, bytes.byteOffset, bytes.byteLength / Kind.BYTES_PER_ELEMENT);
  return values instanceof Float64Array ? values : Float64Array.from(values as ArrayLike<number>, Number);
}

function asFloat32(input: Uint8Array, type: "F32" | "F16" | "BF16", bytes: number): Float32Array {
  const from = aligned(input);
  if (type === "F32") return new Float32Array(from.buffer, from.byteOffset, from.byteLength / bytes);
  const output = new Uint8Array((from.byteLength / bytes) * 4);
  convertFloats(from, type, output, "F32");
  return new Float32Array(output.buffer);
}

function smallFloat(bits: number, { exponentBits, mantissaBits, bias, special }: SmallFloat): number {
  const named = special(bits);
  if (named !== undefined) return named;
  const sign = bits & 0x80 ? -1 : 1;
  const exponent = (bits >> mantissaBits) & ((1 << exponentBits) - 1);
  const fraction = (bits & ((1 << mantissaBits) - 1)) / (1 << mantissaBits);
  return sign * (exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias));
}

function aligned(bytes: Uint8Array): Uint8Array {
  return bytes.byteOffset % ALIGNMENT === 0 ? bytes : Uint8Array.from(bytes);
}
