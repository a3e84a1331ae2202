import type { Settings } from "../../../src/ui/chat-screen/settings.js";

/** What a screen starts with when no flag says otherwise. */
export const DEFAULT_SETTINGS: Settings = {
  sampling: {},
  maxTokens: undefined,
  overflow: "error",
  thinking: true,
  keepThoughts: true,
  speechModel: "pocket-csm",
};
