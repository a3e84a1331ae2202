import { useStdin } from "ink";
import { useEffect } from "react";
import { KeyDecoder } from "./key-decoder.js";
import type { KeyEvent } from "./key-event.js";

/** A lone Escape is known by nothing following it for this long. */
const ESCAPE_MS = 40;

/** Keys, as the decoder makes them of what Ink reads from the terminal. */
export function useKeys(onKey: (event: KeyEvent) => void): void {
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
