import { Box, Static, Text, useStdin } from "ink";
import { useEffect, useLayoutEffect, useSyncExternalStore } from "react";
import { KeyDecoder } from "./input/key-decoder.js";
import type { KeyEvent } from "./input/key-event.js";
import { liveRows } from "./live-rows.js";
import type { ScreenStore } from "./screen-store.js";
import { itemRows } from "./transcript/item-rows.js";
import type { Palette } from "./transcript/palette.js";
import type { TranscriptItem } from "./transcript/transcript-item.js";

export interface ChatScreenProps {
  readonly store: ScreenStore;
  readonly palette: Palette;
  readonly onKey: (event: KeyEvent) => void;
  /** told the rows below the transcript whenever they change */
  readonly onRows?: (rows: readonly string[]) => void;
}

/**
 * The screen: what is finished goes to <Static>, which writes it once, above the few live rows below it.
 */
export function ChatScreen({ store, palette, onKey, onRows }: ChatScreenProps) {
  const state = useSyncExternalStore(store.subscribe, store.state);
  const rows = liveRows(state, palette);
  useKeys(onKey);
  useLayoutEffect(() => {
    onRows?.(rows);
  });
  return (
    <>
      <Static items={state.transcript as TranscriptItem[]}>
        {(item, index) => <Rows key={index} rows={itemRows(item, palette, state.columns)} />}
      </Static>
      <Rows rows={rows} />
    </>
  );
}

/** Rows that are as wide as they may be already. */
function Rows({ rows }: { readonly rows: readonly string[] }) {
  if (rows.length === 0) return null;
  return (
    <Box flexDirection="column">
      <Text wrap="wrap">{rows.map((row) => (row === "" ? " " : row)).join("\n")}</Text>
    </Box>
  );
}

/** A lone Escape is known by nothing following it for this long. */
const ESCAPE_MS = 40;

/** Keys, as the decoder makes them of what Ink reads from the terminal. */
function useKeys(onKey: (event: KeyEvent) => void): void {
  const { setRawMode, internal_eventEmitter: input } = useStdin();
  useEffect(() => {
    const decoder = new KeyDecoder();
    let waiting: NodeJS.Timeout | undefined;
    const onInput = (chunk: string) => {
      clearTimeout(waiting);
      for (const event of decoder.push(chunk)) onKey(event);
      if (decoder.isWaiting) {
        waiting = setTimeout(() => decoder.flush().forEach(onKey), ESCAPE_MS);
      }
    };
    setRawMode(true);
    input.on("input", onInput);
    return () => {
      clearTimeout(waiting);
      input.off("input", onInput);
      setRawMode(false);
    };
  }, [input, onKey, setRawMode]);
}
