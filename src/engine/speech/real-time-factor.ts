/**
 * Seconds of computing per second of audio, rounded to thousandths; null when there is no audio.
 * @param speakMs milliseconds of computing
 * @param seconds of audio
 */
export function realTimeFactorOf(speakMs: number, seconds: number): number | null {
  return seconds === 0 ? null : Math.round(speakMs / seconds) / 1000;
}
