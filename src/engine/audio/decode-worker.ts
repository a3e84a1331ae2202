/**
 * The thread that decodes one compressed audio file, apart from the main thread so that it can be stopped. The bytes
 * come as workerData, one DecodeReply goes back. What the decoders print stays in the thread.
 */
import { parentPort, workerData } from "node:worker_threads";

export type DecodeReply =
  | { readonly kind: "decoded"; readonly channels: readonly Float32Array[]; readonly sampleRate: number }
  | { readonly kind: "refused"; readonly reason: string };

async function decode(bytes: Uint8Array): Promise<DecodeReply> {
  try {
    const { default: decodeWhole } = await import("audio-decode");
    const { channelData, sampleRate } = await decodeWhole(bytes);
    return { kind: "decoded", channels: channelData.map(owned), sampleRate };
  } catch (error) {
    return { kind: "refused", reason: error instanceof Error ? error.message : String(error) };
  }
}

/** The samples in a buffer of their own: a view would take the decoder's whole memory along. */
function owned(samples: Float32Array): Float32Array<ArrayBuffer> {
  const { buffer } = samples;
  const isOwn = buffer instanceof ArrayBuffer && buffer.byteLength === samples.byteLength;
  return isOwn ? (samples as Float32Array<ArrayBuffer>) : Float32Array.from(samples);
}

const reply = await decode(workerData as Uint8Array);
const buffers = reply.kind === "decoded" ? reply.channels.map(({ buffer }) => buffer as ArrayBuffer) : [];
parentPort?.postMessage(reply, [...new Set(buffers)]);
