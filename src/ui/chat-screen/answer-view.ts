import { SafeTextFilter } from "../safe-text.js";
import { liveHeight } from "./live-rows.js";
import type { ScreenStore } from "./screen-store.js";
import { BlockStream } from "./transcript/block-stream.js";
import { cutWithin } from "./transcript/cut-within.js";
import { loadHighlighter } from "./transcript/highlight-code.js";
import { blockRows, itemRows } from "./transcript/item-rows.js";
import type { Palette } from "./transcript/palette.js";
import type { TranscriptItem } from "./transcript/transcript-item.js";

/**
 * Shows one answer as it comes: through the terminal filter, in blocks, with the reasoning before it. Also keeps what
 * came, for an engine that dies in the middle of it.
 */
export class AnswerView {
  thinking = "";
  text = "";
  private readonly filters = { thinking: new SafeTextFilter(), answer: new SafeTextFilter() };
  private readonly blocks = new BlockStream();
  private shownThinking = "";
  /** how much of it is in the transcript */
  private thinkingWritten = 0;
  private thinkingSince: number | undefined;
  private thinkingUntil: number | undefined;
  private activity: string | undefined = "…";
  private hasText = false;

  constructor(
    private readonly store: ScreenStore,
    private readonly palette: Palette,
  ) {}

  /** What is going on while nothing is said. */
  report(activity: string): void {
    this.activity = activity;
    this.draw([]);
  }

  write(kind: "thinking" | "answer", piece: string): void {
    this[kind === "thinking" ? "thinking" : "text"] += piece;
    if (kind === "thinking") {
      this.thinkingSince ??= performance.now();
      this.shownThinking += this.filters.thinking.push(piece);
      this.draw(this.newThinking());
    } else this.draw([...this.endThinking(), ...this.newBlocks(this.filters.answer.push(piece))]);
  }

  /** Draws again: time has passed, or thinking was unfolded. */
  tick(): void {
    this.draw(this.thinkingUntil === undefined ? this.newThinking() : []);
  }

  /** Puts the rest into the transcript. */
  end(): void {
    const finished = [
      ...this.endThinking(),
      ...this.newBlocks(this.filters.answer.push("") + this.filters.answer.end()),
      ...this.blocks.end().map(asItem),
    ];
    this.store.dispatch({ type: "live", live: undefined, finished });
  }

  private draw(finished: readonly TranscriptItem[]): void {
    const { showThinking } = this.store.state();
    const isThinking = this.thinkingSince !== undefined && this.thinkingUntil === undefined;
    this.store.dispatch({
      type: "live",
      finished,
      live: {
        thinking: isThinking && showThinking ? this.shownThinking.slice(this.thinkingWritten) : undefined,
        activity: isThinking ? this.describeThinking(showThinking) : this.hasText ? undefined : this.activity,
        block: this.blocks.open(),
      },
    });
  }

  private describeThinking(isShown: boolean): string {
    const seconds = Math.floor((performance.now() - this.thinkingSince!) / 1000);
    return `thinking, ${seconds} s${isShown ? "" : " (Ctrl-O shows it)"}`;
  }

  private newBlocks(text: string): TranscriptItem[] {
    if (text === "") return [];
    this.hasText = true;
    const { columns, rows } = this.store.state();
    const finished = this.blocks.push(text);
    const rowsOf = (block: Parameters<typeof blockRows>[0]) => blockRows(block, this.palette, columns).length;
    const most = liveHeight(rows);
    for (
      let more = this.blocks.shorten(rowsOf, most);
      more.length > 0;
      more = this.blocks.shorten(rowsOf, most)
    ) {
      finished.push(...more);
    }
    if (this.blocks.open()?.kind === "code") void loadHighlighter();
    return finished.map(asItem);
  }

  /** Whole lines of the reasoning that are to be shown and are not yet; of a very long line its beginning. */
  private newThinking(): TranscriptItem[] {
    const { showThinking, columns, rows } = this.store.state();
    if (!showThinking) return [];
    const items: TranscriptItem[] = [];
    const take = (length: number) => {
      const text = this.shownThinking.slice(this.thinkingWritten, this.thinkingWritten + length);
      this.thinkingWritten += length;
      if (text.trim() !== "") items.push({ kind: "thinking", text: text.replace(/\n+$/, "") });
    };
    take(this.shownThinking.lastIndexOf("\n") + 1 - this.thinkingWritten);
    const fits = (text: string, most: number) =>
      itemRows({ kind: "thinking", text }, this.palette, columns).length <= most;
    const most = liveHeight(rows) - 1;
    for (;;) {
      const line = this.shownThinking.slice(this.thinkingWritten);
      if (fits(line, most)) return items;
      take(cutWithin(line, (part) => fits(part, Math.max(1, most >> 1)), { atSpaces: true }));
    }
  }

  private endThinking(): TranscriptItem[] {
    if (this.thinkingSince === undefined || this.thinkingUntil !== undefined) return [];
    this.shownThinking += this.filters.thinking.end();
    const shown = this.newThinking();
    const rest = this.shownThinking.slice(this.thinkingWritten).trim();
    const isShown = this.store.state().showThinking;
    if (isShown && rest !== "") shown.push({ kind: "thinking", text: rest });
    this.thinkingUntil = performance.now();
    const seconds = (this.thinkingUntil - this.thinkingSince) / 1000;
    return [...shown, { kind: "thought", seconds, shown: isShown }];
  }
}

function asItem(block: Parameters<typeof blockRows>[0]): TranscriptItem {
  return { kind: "block", block };
}
