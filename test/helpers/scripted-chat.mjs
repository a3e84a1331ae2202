// The chat screen with a model that says what a file says: node scripted-chat.mjs ANSWER.md [CHARACTERS] [MS]
// Everything but the engine is real. CHARACTERS come at once, MS apart. What follows <think> up to </think> is reasoning.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { ChatStore } from "../../dist/engine/chat/saved/chat-store.js";
import { loadScreen } from "../../dist/ui/load-screen.js";
import { listenForInterruption } from "../../dist/ui/interruption.js";
import { openSpeechModel } from "../../dist/ui/open-speech-model.js";
import { DEFAULT_SPEECH_MODEL } from "../../dist/ui/speech-flags.js";

const [file, characters = "7", ms = "5"] = process.argv.slice(2);
const { signal } = listenForInterruption();

async function* run(request, options, stop) {
  const started = performance.now();
  const [, thinking = "", text = ""] = /^(?:<think>\n([\s\S]*?)<\/think>\n)?([\s\S]*)$/.exec(
    readFileSync(file, "utf8"),
  );
  const said = { thinking: "", answer: "" };
  let finish_reason = "stop";
  for (const [kind, whole] of Object.entries({ thinking, answer: text })) {
    for (let at = 0; at < whole.length && finish_reason === "stop"; at += Number(characters)) {
      await sleep(Number(ms));
      const piece = whole.slice(at, at + Number(characters));
      said[kind] += piece;
      yield { kind, text: piece };
      if (stop.aborted) finish_reason = "interrupted";
    }
  }
  const completion_tokens = Math.ceil((said.thinking.length + said.answer.length) / 4);
  return {
    document: {
      model: file,
      text: said.answer,
      thinking: said.thinking,
      token_ids: [],
      finish_reason,
      usage: { prompt_tokens: 40 * request.messages.length, completion_tokens },
      timings: {
        load_ms: 0,
        first_token_ms: 150,
        prompt_per_second: 0,
        tokens_per_second: (1000 * completion_tokens) / (performance.now() - started),
      },
    },
    raw: said.thinking === "" ? said.answer : `<think>\n${said.thinking}</think>\n${said.answer}`,
    startedInsideThinking: false,
    stopToken: undefined,
    result: { reusedTokens: 0, firstTokenMs: 150 },
  };
}

const engine = {
  name: "scripted",
  facts: {
    name: "scripted",
    family: {
      name: "scripted",
      title: "Scripted",
      chat: { thinking: {}, assistantMessage: (content) => ({ role: "assistant", content }) },
    },
    sampling: {},
    contextLength: 8192,
    path: file,
    bytes: 0,
    window: 0,
  },
  session: { pid: process.pid, ended: new Promise(() => undefined) },
  contexts: { fit: () => Promise.resolve(8192) },
  chat: { promptTokens: ({ messages }) => Promise.resolve(Array(40 * messages.length)), run },
  close: () => Promise.resolve(),
};
const chats = new ChatStore();
const { openChatScreen } = await loadScreen(() => import("../../dist/ui/chat-screen/open-chat-screen.js"));
await openChatScreen({
  engine,
  chats,
  chat: chats.begin({ model: "scripted" }),
  settings: {
    sampling: {},
    maxTokens: undefined,
    overflow: "error",
    thinking: true,
    keepThoughts: true,
    speechModel: DEFAULT_SPEECH_MODEL,
  },
  jsonSchema: undefined,
  open: () => Promise.reject(new Error("there is no other model")),
  openSpeech: (model, { progress, signal }) =>
    openSpeechModel({
      flags: { model, type: "auto", "remove-download": false, gpu: "auto", offline: true, debug: false },
      progress,
      signal,
    }),
  contextSize: 8192,
  colourLevel: process.env.NO_COLOR ? 0 : 2,
  signal,
});
process.exit(signal.aborted ? signal.reason.exitCode : 0);
