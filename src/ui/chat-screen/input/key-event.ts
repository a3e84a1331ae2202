/** What a terminal sends, as the screen understands it. */
export type KeyEvent =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "paste"; readonly text: string }
  | {
      readonly kind: "key";
      /** "left", "enter", "f1", or for Ctrl and Alt combinations the letter */
      readonly name: string;
      readonly ctrl: boolean;
      readonly alt: boolean;
    };

export function key(
  name: string,
  { ctrl = false, alt = false }: { ctrl?: boolean; alt?: boolean } = {},
): KeyEvent {
  return { kind: "key", name, ctrl, alt };
}

/** One name for a key with its modifiers: "ctrl-a", "alt-left", "enter". */
export function keyName(event: Extract<KeyEvent, { kind: "key" }>): string {
  return `${event.ctrl ? "ctrl-" : ""}${event.alt ? "alt-" : ""}${event.name}`;
}
