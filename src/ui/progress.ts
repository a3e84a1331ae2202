import { formatBytes } from "../engine/system/format-bytes.js";

/** One state of a long job. */
export interface ProgressState {
  /** what is being done, a few words */
  label: string;
  done?: number;
  /** without it there is no bar and no estimate */
  total?: number;
  unit?: "bytes" | "tokens" | "steps";
  /** overrides the estimate from the pace so far */
  etaSeconds?: number | undefined;
}

export interface Progress {
  update(state: ProgressState): void;
  /** Removes the line; an optional last line stays. */
  finish(summary?: string): void;
}

const REDRAW_MS = 80;
const LINE_EVERY_MS = 10_000;

/**
 * Progress on stderr: one line that is redrawn on a terminal, a plain line every ten seconds in a pipe or log,
 * nothing when quiet.
 */
export function createProgress(options: { quiet: boolean; stream?: NodeJS.WriteStream }): Progress {
  const stream = options.stream ?? process.stderr;
  if (options.quiet) return { update: () => undefined, finish: () => undefined };
  return stream.isTTY && process.env.TERM !== "dumb" ? new LiveProgress(stream) : new LoggedProgress(stream);
}

class LiveProgress implements Progress {
  private readonly pace = new Pace();
  private drawnAt = 0;
  private visible = false;

  constructor(private readonly stream: NodeJS.WriteStream) {}

  update(state: ProgressState): void {
    this.pace.see(state);
    const complete = state.total !== undefined && state.done === state.total;
    if (!complete && performance.now() - this.drawnAt < REDRAW_MS) return;
    this.drawnAt = performance.now();
    this.visible = true;
    const line = describe(state, this.pace, (this.stream.columns || 80) - 1);
    this.stream.write(`\r\u001b[K${line}`);
  }

  finish(summary?: string): void {
    if (this.visible) this.stream.write("\r\u001b[K");
    this.visible = false;
    if (summary !== undefined) this.stream.write(`${summary}\n`);
  }
}

class LoggedProgress implements Progress {
  private readonly pace = new Pace();
  private writtenAt = performance.now();

  constructor(private readonly stream: NodeJS.WriteStream) {}

  update(state: ProgressState): void {
    this.pace.see(state);
    if (performance.now() - this.writtenAt < LINE_EVERY_MS) return;
    this.writtenAt = performance.now();
    this.stream.write(`${describe(state, this.pace, 200)}\n`);
  }

  finish(summary?: string): void {
    if (summary !== undefined) this.stream.write(`${summary}\n`);
  }
}

/** Rate since the current label began. */
class Pace {
  private label = "";
  private startedAt = 0;
  private startedWith = 0;
  perSecond = 0;

  see({ label, done = 0 }: ProgressState): void {
    const now = performance.now();
    if (label !== this.label) {
      this.label = label;
      this.startedAt = now;
      this.startedWith = done;
      this.perSecond = 0;
      return;
    }
    const seconds = (now - this.startedAt) / 1000;
    if (seconds > 0.2) this.perSecond = (done - this.startedWith) / seconds;
  }
}

function describe(
  { label, done, total, unit, etaSeconds }: ProgressState,
  pace: Pace,
  width: number,
): string {
  if (done === undefined || total === undefined || total <= 0) return label.slice(0, width);
  const share = Math.min(1, done / total);
  const amount =
    unit === "bytes"
      ? `${formatBytes(done)} of ${formatBytes(total)}`
      : `${done} of ${total}${unit === "tokens" ? " tokens" : ""}`;
  const rate =
    pace.perSecond > 0
      ? unit === "bytes"
        ? `${formatBytes(pace.perSecond)}/s`
        : unit === "tokens"
          ? `${pace.perSecond.toFixed(0)}/s`
          : ""
      : "";
  const left = etaSeconds ?? (pace.perSecond > 0 ? (total - done) / pace.perSecond : undefined);
  const eta = left === undefined || share === 1 ? "" : `${formatSeconds(left)} left`;
  const filled = Math.round(share * 20);
  const parts = [
    label,
    `[${"#".repeat(filled)}${"-".repeat(20 - filled)}]`,
    `${Math.floor(share * 100)}%`,
    amount,
    rate,
    eta,
  ];
  return parts
    .filter((part) => part !== "")
    .join("  ")
    .slice(0, width);
}

/** 75 becomes "1:15", 3675 becomes "1:01:15". */
function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  if (parts[0] === 0) parts.shift();
  return parts.map((part, index) => (index === 0 ? String(part) : String(part).padStart(2, "0"))).join(":");
}
