/** Pastes with more lines or more characters than this are shown as a label. */
const SHOWN_LINES = 8;
const SHOWN_LENGTH = 800;

/**
 * A large paste stands in the editor's text as one low surrogate without a partner: no decoded input contains one, it
 * is one grapheme to every editing key, and it costs nothing to move or to draw.
 */
const FIRST_SLOT = 0xdc00;
const SLOTS = 1024;

const SLOT = /(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** The large pastes of the message being written, by their number. */
export type PasteSlots = readonly string[];

/** @returns the text to insert, and the slots with the paste in them where it is large */
export function insertPaste(slots: PasteSlots, paste: string): { inserted: string; slots: PasteSlots } {
  const isLarge = paste.length > SHOWN_LENGTH || lineCount(paste) > SHOWN_LINES;
  if (!isLarge || slots.length === SLOTS) return { inserted: paste, slots };
  return { inserted: String.fromCharCode(FIRST_SLOT + slots.length), slots: [...slots, paste] };
}

/** The message with its pastes in their places. */
export function expandPastes(text: string, slots: PasteSlots): string {
  return text.replaceAll(SLOT, (char) => slots[char.charCodeAt(0) - FIRST_SLOT] ?? "");
}

/** How one grapheme of the editor's text is shown, if it is a paste. */
export function pasteLabel(grapheme: string, slots: PasteSlots): string | undefined {
  const number = grapheme.charCodeAt(0) - FIRST_SLOT;
  if (grapheme.length !== 1 || number < 0 || number >= SLOTS) return undefined;
  const paste = slots[number] ?? "";
  const lines = lineCount(paste);
  const size = lines > 1 ? `${lines} lines` : `${paste.length} characters`;
  return `[pasted ${number + 1}: ${size}]`;
}

function lineCount(text: string): number {
  let lines = 1;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines++;
  return lines;
}
