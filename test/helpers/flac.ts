/** A FLAC file of 16-bit frames in which each channel keeps one value: a few bytes may stand for hours. */
export interface ConstantFlac {
  /** of each frame, per channel */
  readonly frames: readonly (readonly number[])[];
  /** samples of each frame, 16 to 65,535 */
  readonly frameSamples: number;
}

/** Writes a FLAC file (RFC 9639) at 24 kHz, of at most 0xd800 frames: their numbers are written like characters. */
export function constantFlac({ frames, frameSamples }: ConstantFlac): Buffer {
  const channels = frames[0]!.length;
  const info = Buffer.alloc(34);
  info.writeUInt16BE(frameSamples, 0);
  info.writeUInt16BE(frameSamples, 2);
  // 20 bits of rate, 3 of channels - 1, 5 of bits - 1, 36 of samples
  const samples = BigInt(frameSamples) * BigInt(frames.length);
  info.writeBigUInt64BE((24_000n << 44n) | (BigInt(channels - 1) << 41n) | (15n << 36n) | samples, 10);
  const marker = Buffer.from([0x66, 0x4c, 0x61, 0x43, 0x80, 0, 0, 34]);
  return Buffer.concat([marker, info, ...frames.map((values, i) => frame(values, frameSamples, i))]);
}

function frame(values: readonly number[], frameSamples: number, number: number): Buffer {
  const size = Buffer.alloc(2);
  size.writeUInt16BE(frameSamples - 1);
  // fixed block size; size in 16 bits, 24 kHz; channels, 16 bits per sample
  const head = Buffer.concat([
    Buffer.from([0xff, 0xf8, 0x77, ((values.length - 1) << 4) | 8]),
    Buffer.from(String.fromCodePoint(number), "utf8"),
    size,
  ]);
  const subframes = values.map((value) => Buffer.from([0, (value >> 8) & 0xff, value & 0xff]));
  const body = Buffer.concat([head, Buffer.of(crc(head, 0x07, 8)), ...subframes]);
  const check = Buffer.alloc(2);
  check.writeUInt16BE(crc(body, 0x8005, 16));
  return Buffer.concat([body, check]);
}

function crc(bytes: Uint8Array, polynomial: number, bits: 8 | 16): number {
  const top = 1 << (bits - 1);
  const mask = (1 << bits) - 1;
  let value = 0;
  for (const byte of bytes) {
    value ^= byte << (bits - 8);
    for (let i = 0; i < 8; i++) value = ((value << 1) ^ (value & top ? polynomial : 0)) & mask;
  }
  return value;
}
