import type { Turn } from "../../engine/chat/saved/turns.js";
import { safeText } from "../safe-text.js";
import { BlockStream } from "./transcript/block-stream.js";
import type { TranscriptItem } from "./transcript/transcript-item.js";

/** Turns that are shown of a chat that is opened again; the model reads all of them. */
const SHOWN_TURNS = 20;

/** The end of a saved chat, as it looked when it was said. */
export function savedItems(turns: readonly Turn[]): TranscriptItem[] {
  const shown = turns.slice(-SHOWN_TURNS);
  const hidden = turns.length - shown.length;
  const note: TranscriptItem[] =
    hidden === 0 ? [] : [{ kind: "note", tone: "info", text: `(${hidden} earlier turns are not shown)` }];
  return [
    ...note,
    ...shown.flatMap((turn): TranscriptItem[] => {
      if (turn.role === "user") return [{ kind: "user", text: turn.text }];
      const blocks = new BlockStream();
      return [...blocks.push(safeText(turn.text)), ...blocks.end()].map((block) => ({
        kind: "block",
        block,
      }));
    }),
  ];
}
