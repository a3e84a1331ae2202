/**
 * Loads the screen. React decides when it is loaded whether it checks itself; that makes it several times slower and
 * writes warnings meant for developers onto the user's terminal.
 */
export function loadChatScreen(): Promise<typeof import("./open-chat-screen.js")> {
  process.env.NODE_ENV ??= "production";
  return import("./open-chat-screen.js");
}
