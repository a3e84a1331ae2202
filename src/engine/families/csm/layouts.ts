/**
 * How weights are laid out for the speech library: activations are [channels, time] with channels fastest, and every
 * convolution is one product with windows of its input. All arrays are row-major.
 */

/** One head of `codebooks_head`, applied as h W: [1, hidden, vocabulary] -> [vocabulary, hidden]. */
export function transposedHead(head: Float32Array, hidden: number, vocabulary: number): Float32Array {
  const out = new Float32Array(head.length);
  for (let h = 0; h < hidden; h++) {
    for (let v = 0; v < vocabulary; v++) out[v * hidden + h] = head[h * vocabulary + v]!;
  }
  return out;
}

/** A convolution kernel, [out, in, taps] -> [out, taps * in]. */
export function convolutionWindows(
  weight: Float32Array,
  out: number,
  inputs: number,
  taps: number,
): Float32Array {
  const windows = new Float32Array(weight.length);
  for (let o = 0; o < out; o++) {
    for (let i = 0; i < inputs; i++) {
      for (let t = 0; t < taps; t++)
        windows[(o * taps + t) * inputs + i] = weight[(o * inputs + i) * taps + t]!;
    }
  }
  return windows;
}

/** A transposed convolution whose kernel is twice its stride, so that an output step sees two input steps. */
export interface TransposedShape {
  readonly inputs: number;
  readonly outputs: number;
  readonly stride: number;
  readonly groups: number;
}

/**
 * A transposed kernel, [in, out / groups, 2 * stride] -> [stride * out, 2 * in]: row j * out + o makes channel o of
 * the j-th output step from the previous input step and the current one. Channels of other groups get zeros.
 */
export function transposedWindows(weight: Float32Array, shape: TransposedShape): Float32Array {
  const { inputs, outputs, stride, groups } = shape;
  const perGroup = outputs / groups;
  const windows = new Float32Array(stride * outputs * 2 * inputs);
  for (let i = 0; i < inputs; i++) {
    const group = Math.floor(i / (inputs / groups));
    for (let o = 0; o < perGroup; o++) {
      const kernel = (i * perGroup + o) * 2 * stride;
      for (let j = 0; j < stride; j++) {
        const row = (j * outputs + group * perGroup + o) * 2 * inputs;
        windows[row + i] = weight[kernel + stride + j]!;
        windows[row + inputs + i] = weight[kernel + j]!;
      }
    }
  }
  return windows;
}

/** Smallest usage of a codebook entry, `epsilon` of MimiEuclideanCodebook. */
const LEAST_USAGE = 1e-5;

/** Codebook entries from training's running sums: [entries, width] divided by [entries]. */
export function foldedCodebook(sums: Float32Array, usage: Float32Array): Float32Array {
  const width = sums.length / usage.length;
  return sums.map((sum, at) => sum / Math.max(usage[Math.floor(at / width)]!, Math.fround(LEAST_USAGE)));
}
