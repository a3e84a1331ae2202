/** Figures of the status line. */
export interface StatusInfo {
  readonly model: string;
  /** tokens of the conversation as the model last read it; undefined before the first answer */
  readonly contextUsed: number | undefined;
  readonly contextSize: number;
  readonly overflow: "error" | "trim" | "shift";
  readonly tokensPerSecond: number | undefined;
  readonly firstTokenMs: number | undefined;
  /** resident memory of the engine process, in bytes; undefined where it cannot be read */
  readonly memoryBytes: number | undefined;
}
