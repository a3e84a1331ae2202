declare module "wav-encoder" {
  interface AudioData {
    sampleRate: number;
    channelData: Float32Array[];
  }
  interface Options {
    bitDepth?: number;
    float?: boolean;
    /** Scale by 2^(bits - 1) on both sides of zero. */
    symmetric?: boolean;
  }
  const WavEncoder: { encode: { sync(audio: AudioData, options?: Options): ArrayBuffer } };
  export default WavEncoder;
}
