import WavEncoder from "wav-encoder";

export interface WavKind {
  /** Hz */
  readonly sampleRate: number;
  /** 32-bit float, else 16-bit integers. */
  readonly float: boolean;
}

/** Texts of the INFO chunk: four-letter name to text, for example ISFT, the software. */
export type WavInfo = Readonly<Record<string, string>>;

/** Header that wav-encoder writes before the samples: RIFF 12, format 24, head of the data chunk 8. */
const ENCODER_HEADER = 44;
const FORMAT_END = 36;

/**
 * Everything before the samples of a mono WAV file: RIFF, format, INFO.
 * @param dataBytes size of the samples; undefined: unknown as yet, written as the largest size there is, which
 *        readers take for "until the end"
 */
export function wavHeader(
  { sampleRate, float }: WavKind,
  info: WavInfo,
  dataBytes: number | undefined,
): Uint8Array {
  const empty = { sampleRate, channelData: [new Float32Array(0)] };
  const encoded = new Uint8Array(WavEncoder.encode.sync(empty, { float, bitDepth: 16 }));
  const parts = [
    float ? extendedFormat(encoded, dataBytes) : encoded.subarray(0, FORMAT_END),
    infoChunk(info),
    encoded.subarray(FORMAT_END, ENCODER_HEADER),
  ];
  const header = Buffer.concat(parts);
  const sizeOf = (bytes: number): number => Math.min(bytes, 0xffffffff);
  header.writeUInt32LE(dataBytes === undefined ? 0xffffffff : sizeOf(header.length - 8 + dataBytes), 4);
  header.writeUInt32LE(dataBytes === undefined ? 0xffffffff : sizeOf(dataBytes), header.length - 4);
  return header;
}

/** The bytes of samples as they stand in the file. 16-bit samples are rounded and clipped, floats never. */
export function wavSamples(samples: Float32Array, { sampleRate, float }: WavKind): Uint8Array {
  const audio = { sampleRate, channelData: [samples] };
  const encoded = WavEncoder.encode.sync(audio, { float, bitDepth: 16, symmetric: true });
  return new Uint8Array(encoded, ENCODER_HEADER);
}

/** Formats other than integers have a format chunk with an (empty) extension and a count of samples. */
function extendedFormat(encoded: Uint8Array, dataBytes: number | undefined): Buffer {
  const start = Buffer.from(encoded.subarray(0, FORMAT_END));
  start.writeUInt32LE(18, 16);
  const fact = Buffer.alloc(4);
  fact.writeUInt32LE(dataBytes === undefined ? 0xffffffff : Math.min(dataBytes / 4, 0xffffffff));
  return Buffer.concat([start, Buffer.alloc(2), chunkHead("fact", fact.length), fact]);
}

/** LIST chunk of type INFO; texts end with a NUL and begin at even positions. */
function infoChunk(info: WavInfo): Buffer {
  const entries = Object.entries(info).map(([name, text]) => {
    const bytes = Buffer.from(`${text}\0`, "utf8");
    return Buffer.concat([chunkHead(name, bytes.length), bytes, Buffer.alloc(bytes.length % 2)]);
  });
  const body = Buffer.concat([Buffer.from("INFO", "latin1"), ...entries]);
  return Buffer.concat([chunkHead("LIST", body.length), body]);
}

function chunkHead(name: string, size: number): Buffer {
  const head = Buffer.alloc(8);
  head.write(name, 0, 4, "latin1");
  head.writeUInt32LE(size, 4);
  return head;
}
