import type { openChatScreen } from "./open-chat-screen.js";

/**
 * Loads the screen. React decides when it is loaded whether it checks itself; that makes it several times slower and
 * writes warnings meant for developers onto the user's terminal.
 */
export function loadChatScreen(): Promise<{ openChatScreen: typeof openChatScreen }> {
  process.env.NODE_ENV ??= "production";
  return import("./open-chat-screen.js");
}
