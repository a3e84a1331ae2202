import { safeLine } from "../../safe-text.js";
import type { ChatDriver } from "../chat-driver.js";
import {
  commonStart,
  completeFile,
  type Completion,
  looksLikePath,
  SHOWN_CANDIDATES,
} from "../input/complete-word.js";
import { commands, findCommand } from "./index.js";

/** Tab: completes a command, its argument, or a file name, as far as it is certain; shows what is possible. */
export async function completeInput(driver: ChatDriver): Promise<void> {
  const { store } = driver;
  const before = store.state().editor;
  const { start, candidates } = await completionAt(before.text.slice(0, before.cursor), driver);
  const { editor } = store.state();
  // a key may have come while a folder was read
  if (editor.text !== before.text || editor.cursor !== before.cursor || candidates.length === 0) return;
  const only = candidates.length === 1 ? candidates[0]! : undefined;
  const word = only === undefined ? commonStart(candidates) : only.endsWith("/") ? only : `${only} `;
  if (word.length > editor.cursor - start) {
    const text = editor.text.slice(0, start) + word + editor.text.slice(editor.cursor);
    store.dispatch({ type: "set-input", text, cursor: start + word.length });
  }
  if (only !== undefined) return;
  const shown = candidates
    .slice(0, SHOWN_CANDIDATES)
    .map((candidate) => safeLine(candidate, { maxLength: 60 }));
  const more = candidates.length > SHOWN_CANDIDATES ? `  … ${candidates.length - SHOWN_CANDIDATES} more` : "";
  store.dispatch({ type: "notice", text: shown.join("  ") + more });
}

async function completionAt(text: string, driver: ChatDriver): Promise<Completion> {
  const name = /^\/(\S*)$/.exec(text);
  if (name !== null) {
    const all = commands.map(({ names }) => `/${names[0]}`);
    return { start: 0, candidates: all.filter((command) => command.startsWith(text)) };
  }
  const argument = /^\/(\S+)\s+(.*)$/s.exec(text);
  const command = argument === null ? undefined : findCommand(argument[1]!);
  if (command?.complete === undefined) {
    const word = /\S*$/.exec(text)![0];
    const start = text.length - word.length;
    return { start, candidates: looksLikePath(word) ? await completeFile(word) : [] };
  }
  const typed = argument![2]!;
  const start = text.length - typed.length;
  if (command.complete === "files") return { start, candidates: await completeFile(typed) };
  return {
    start,
    candidates: (await command.complete(driver)).filter((candidate) => candidate.startsWith(typed)),
  };
}
