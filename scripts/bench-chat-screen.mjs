#!/usr/bin/env node
// What the chat screen costs the process that draws it, behind a transcript of many turns: time per keystroke and per
// streamed token. Everything is real but the terminal, which nobody sees, and the model, which says what it is told.
// Keys and tokens come so far apart that each is drawn by itself; what is measured is the time in which the event loop
// did something (performance.eventLoopUtilization), the pauses of the garbage collector included.
// With --model: how long Ctrl-C takes to stop a real model at random moments, from the key to the row that says so.
// Usage: node scripts/bench-chat-screen.mjs [--turns 2000] [--keys 300] [--tokens 300] [--json]
//        node scripts/bench-chat-screen.mjs --model FILE.gguf [--stops 20] [--prompt-words 2000] [--json]
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { fakeTerminal } from "./fake-terminal.mjs";

const { values } = parseArgs({
  options: {
    turns: { type: "string", default: "2000" },
    keys: { type: "string", default: "300" },
    tokens: { type: "string", default: "300" },
    model: { type: "string" },
    stops: { type: "string", default: "20" },
    "prompt-words": { type: "string", default: "2000" },
    json: { type: "boolean", default: false },
  },
});

/** Longer than a frame of the screen (1/30 s), so that whatever a key or token causes is over. */
const APART_MS = 45;

const ANSWER = `## A heading

Some **bold** words, \`code\` and a [link](https://example.org), 日本語 and 🎉, long enough to take two rows at least.

- an item
- another one

| a | b |
|---|---|
| 1 | 2 |

`;
const LONG_ANSWER = `${ANSWER}
\`\`\`python
def merge_sort(items):
    middle = len(items) // 2  # split
    return list(merge(merge_sort(items[:middle]), merge_sort(items[middle:])))
\`\`\`

${"A sentence of some words, and then another one. ".repeat(200)}`;

// chats and history go there; engines and models stay where they are
process.env.XDG_DATA_HOME = mkdtempSync(path.join(os.tmpdir(), "parley-bench-"));
delete process.env.PARLEY_HOME;
process.once("exit", () => rmSync(process.env.XDG_DATA_HOME, { recursive: true, force: true }));

const { loadScreen } = await import("../dist/ui/load-screen.js");
const { openChatScreen } = await loadScreen(() => import("../dist/ui/chat-screen/open-chat-screen.js"));
const { ChatStore } = await import("../dist/engine/chat/saved/chat-store.js");

const report = values.model === undefined ? await measureScreen() : await measureStops(values.model);
if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
else
  for (const [name, value] of Object.entries(report))
    process.stdout.write(`${name}: ${typeof value === "object" ? describe(value) : value}\n`);
process.exit(0);

async function measureScreen() {
  const terminal = fakeTerminal({ columns: 100, rows: 40 });
  const turns = Number(values.turns);
  const perToken = [];
  let measured = false;
  let answered;
  let asked = false;
  const chat = {
    promptTokens: () => Promise.resolve([1, 2, 3]),
    async *run() {
      asked = true;
      const text = measured ? LONG_ANSWER : ANSWER;
      const pieces = measured ? Number(values.tokens) : 1;
      const length = measured ? 5 : text.length;
      for (let i = 0; i < pieces; i++) {
        if (measured && i > 0) await sleep(APART_MS);
        const before = active();
        yield { kind: "answer", text: text.slice(i * length, (i + 1) * length) };
        if (!measured) continue;
        await sleep(APART_MS);
        perToken.push(active() - before);
      }
      setImmediate(() => answered());
      return reply(text);
    },
  };
  await openScreen(terminal, {
    engine: {
      model: "scripted",
      facts: {
        name: "scripted",
        family: { name: "scripted", chat: { assistantMessage } },
        sampling: {},
        contextLength: 8192,
      },
      session: { pid: process.pid, ended: new Promise(() => undefined) },
      contexts: { fit: () => Promise.resolve(8192) },
      chat,
      close: () => Promise.resolve(),
    },
    settings: { sampling: {}, overflow: "error", thinking: true, keepThoughts: true },
  });
  const ask = async () => {
    const end = new Promise((resolve) => (answered = resolve));
    terminal.type(`a question of some words, number ${Math.random()}`);
    asked = false;
    // Enter does nothing until the answer before is saved
    for (; !asked; await sleep(2)) terminal.type("\r");
    await end;
    terminal.forget();
  };

  const started = performance.now();
  for (let turn = 0; turn < turns; turn += 2) await ask();
  const fillMs = (performance.now() - started) / (turns / 2);

  const perKey = [];
  for (let i = 0; i < Number(values.keys); i++) {
    await sleep(APART_MS);
    const before = active();
    terminal.type(i % 7 === 6 ? " " : "x");
    await sleep(APART_MS);
    perKey.push(active() - before);
  }
  terminal.type("\u0015");
  await sleep(APART_MS);
  measured = true;
  await ask();
  return { turns, fill_ms_per_turn: round(fillMs), key_ms: summary(perKey), token_ms: summary(perToken) };
}

async function measureStops(model) {
  const { openEngine } = await import("../dist/ui/chat-screen/open-engine.js");
  const terminal = fakeTerminal({ columns: 100, rows: 40 });
  const flags = {
    ...{ type: "auto", "remove-download": false, gpu: "auto", offline: true, debug: false },
    ...{ "kv-type": "f16", "flash-attn": "auto", "swa-full": false },
  };
  const progress = { update: () => undefined, finish: () => undefined };
  const engine = await openEngine(model, flags, { progress, signal: new AbortController().signal });
  await openScreen(terminal, {
    engine,
    settings: { sampling: {}, overflow: "error", thinking: true, keepThoughts: true },
  });
  const stops = { while_reading: [], while_answering: [] };
  const prompt = "word ".repeat(Number(values["prompt-words"]));
  for (let i = 0; i < Number(values.stops); i++) {
    for (const kind of Object.keys(stops)) {
      terminal.type(
        kind === "while_reading" ? `\u001b[200~${i} ${prompt}\u001b[201~` : `\u0015question ${i}`,
      );
      await sleep(100);
      terminal.forget();
      terminal.type("\r");
      await until(() => /reading the prompt, \d+ of/.test(terminal.written()));
      if (kind === "while_answering") await sleep(500 + Math.random() * 1500);
      else await sleep(Math.random() * 300);
      terminal.forget();
      const pressed = performance.now();
      terminal.type("\u0003");
      await until(() => /stopped/.test(terminal.written()), 1);
      stops[kind].push(performance.now() - pressed);
      await sleep(200);
      terminal.type("\u0015/clear\r");
      await sleep(300);
    }
  }
  await engine.close();
  return Object.fromEntries(Object.entries(stops).map(([kind, ms]) => [`stop_ms_${kind}`, summary(ms)]));
}

/** Opens the screen; resolves when it has been drawn. */
async function openScreen(terminal, { engine, settings }) {
  const chats = new ChatStore();
  void openChatScreen({
    engine,
    settings,
    chats,
    chat: chats.begin({ model: "bench" }),
    jsonSchema: undefined,
    open: () => Promise.reject(new Error("there is no other model")),
    openSpeech: () => Promise.reject(new Error("there is no voice")),
    contextSize: 8192,
    colourLevel: 2,
    signal: new AbortController().signal,
    streams: terminal.streams,
  });
  await until(() => terminal.written().includes("Send a message"));
}

function assistantMessage(content) {
  return { role: "assistant", content };
}

async function until(condition, everyMs = 5) {
  while (!condition()) await sleep(everyMs);
}

function reply(text) {
  const timings = { load_ms: 0, first_token_ms: 1, prompt_per_second: 0, tokens_per_second: 100 };
  return {
    document: {
      ...{ model: "scripted", text, thinking: "", token_ids: [], finish_reason: "stop" },
      usage: { prompt_tokens: 10, completion_tokens: 10 },
      timings,
    },
    raw: text,
    startedInsideThinking: false,
    stopToken: undefined,
    result: { reusedTokens: 0, firstTokenMs: 1 },
  };
}

/** Milliseconds in which the event loop of this process has been doing something. */
function active() {
  return performance.eventLoopUtilization().active;
}

function summary(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share) => round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]);
  return { count: sorted.length, median: at(0.5), p99: at(0.99), largest: at(1) };
}

function round(ms) {
  return Math.round(ms * 100) / 100;
}

function describe({ count, median, p99, largest }) {
  return `median ${median} ms, 99th percentile ${p99} ms, largest ${largest} ms (${count} times)`;
}
