/** Samples per call of the library, which copies them into its own memory. */
const BLOCK = 65_536;
/** Input samples around an output sample that libsamplerate's best filter looks at, on one side, below the cut-off. */
const FILTER_REACH = 256;

/**
 * Changes the sample rate with libsamplerate's best sinc filter (bandwidth 97 %, SNR 145 dB).
 * @param samples mono
 * @param from, to Hz; their ratio is within 1/256 to 256
 * @returns ceil(length * to / from) samples, as librosa and torchaudio count them
 */
export async function resample(samples: Float32Array, from: number, to: number): Promise<Float32Array> {
  if (from === to || samples.length === 0) return samples;
  const { create, ConverterType } = await loadLibrary();
  const resampler = await create(1, from, to, { converterType: ConverterType.SRC_SINC_BEST_QUALITY });
  try {
    const output = new Float32Array(Math.ceil((samples.length * to) / from));
    // Silence behind the end pushes the last samples out of the filter.
    const padded = samples.length + Math.ceil(FILTER_REACH * Math.max(1, from / to));
    let written = 0;
    for (let start = 0; start < padded && written < output.length; start += BLOCK) {
      const block = new Float32Array(Math.min(BLOCK, padded - start));
      block.set(samples.subarray(start, start + block.length));
      const made = resampler.full(block);
      output.set(made.subarray(0, output.length - written), written);
      written += Math.min(made.length, output.length - written);
    }
    return output;
  } finally {
    resampler.destroy();
  }
}

/** A CommonJS bundle of 2 MB; its WebAssembly is loaded when it is first needed. */
async function loadLibrary() {
  const { default: library } = await import("@alexanderolsen/libsamplerate-js");
  return library;
}
