import { Box, Static, Text } from "ink";
import { useInsertionEffect, useSyncExternalStore } from "react";
import type { KeyEvent } from "./input/key-event.js";
import { useKeys } from "./input/use-keys.js";
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
  // Ink writes before layout effects run
  useInsertionEffect(() => {
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
