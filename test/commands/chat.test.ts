import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cp, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ChatDocument } from "../../src/engine/chat/chat-document.js";
import { ChatStore } from "../../src/engine/chat/saved/chat-store.js";
import { convertTo, engineFolder, repositoryFile, temporaryFolder } from "../helpers/models.js";
import { runParley } from "../helpers/run-parley.js";

let folder: string;
let model: string;
/** the same weights, with end tokens that are never the likeliest */
let endless: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  const checkpoint = repositoryFile("test/fixtures/cwm-regular");
  model = await convertTo(folder, checkpoint, "f32");
  endless = await convertTo(folder, await withoutEndTokens(checkpoint, path.join(folder, "endless")), "f32");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const reference = JSON.parse(
  readFileSync(repositoryFile("test/reference/data/cwm-regular.json"), "utf8"),
) as {
  tokens: number[];
  greedy: number[];
};
const exact = ["--kv-type", "f32", "--temp", "0"];

async function withoutEndTokens(checkpoint: string, copy: string): Promise<string> {
  await cp(checkpoint, copy, { recursive: true });
  for (const name of ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"]) {
    const text = await readFile(path.join(copy, name), "utf8");
    await writeFile(path.join(copy, name), text.replaceAll(/<\|(eot_id|eom_id|end_of_text)\|>/g, "<|x_$1|>"));
  }
  for (const name of ["config.json", "generation_config.json"]) {
    const config = JSON.parse(await readFile(path.join(copy, name), "utf8")) as Record<string, unknown>;
    await writeFile(path.join(copy, name), JSON.stringify({ ...config, eos_token_id: [0] }));
  }
  return copy;
}

function document(stdout: string): ChatDocument {
  return JSON.parse(stdout) as ChatDocument;
}

describe("parley chat", () => {
  it.each([
    ["--raw", ["--raw", "hello"]],
    ["--jsonl", ["--jsonl"]],
    ["--prompt-tokens", ["--prompt-tokens", "1,2"]],
  ])("refuses to go on with a saved chat beside %s", async (_, args) => {
    const run = await runParley(["chat", "--continue", "--json", ...args]);
    expect(run.code).toBe(2);
    expect(JSON.parse(run.stdout)).toMatchObject({ error: { code: "CHAT_NEEDS_MESSAGES" } });
  });

  it("--continue and --chat go on with a saved chat, and save what is said", async () => {
    const env = { PARLEY_HOME: path.join(folder, "home"), PARLEY_ENGINE: await engineFolder() };
    const ask = (...args: string[]) =>
      runParley(["chat", ...exact, "-n", "8", "--no-think", "--json", ...args], { env });
    expect(JSON.parse((await ask("-m", model, "--continue", "hi")).stdout)).toMatchObject({
      error: { code: "NO_CHATS" },
    });

    const store = new ChatStore(path.join(folder, "home", "data", "chats"));
    const chat = store.begin({ model, system: "be brief" });
    await chat.add({ role: "user", text: "first" });
    // without -m: the chat's own model
    const second = await ask("--continue", "second");
    expect(second.code).toBe(0);
    expect(second.stderr).toContain(`going on with chat ${chat.id}, 1 turns`);
    const saved = await store.open(chat.id);
    expect(saved.turns).toMatchObject([
      { text: "first" },
      { role: "user", text: "second" },
      { role: "assistant", text: document(second.stdout).text, finishReason: "length" },
    ]);

    const third = await ask("--chat", chat.id, "-s", "be kind", "third");
    const after = await store.open(chat.id);
    expect(after.turns.length).toBe(5);
    expect(after.content.system).toBe("be kind");
    // all of it was read
    const { prompt_tokens } = document(third.stdout).usage;
    expect(prompt_tokens).toBeGreaterThan(document(second.stdout).usage.prompt_tokens);
    const alone = document((await ask("-m", model, "-s", "be kind", "third")).stdout);
    expect(prompt_tokens).toBeGreaterThan(alone.usage.prompt_tokens);
    expect((await store.open(chat.id)).turns.length).toBe(5);

    expect(JSON.parse((await ask("--chat", "nothing", "hi")).stdout)).toMatchObject({
      error: { code: "CHAT_NOT_FOUND" },
    });
  });

  it("--lookup answers as without it", async () => {
    const ask = async (...flags: string[]) => {
      const run = await runParley([
        "chat",
        ...exact,
        "-m",
        model,
        "--json",
        "-n",
        "60",
        ...flags,
        "a b a b a b a b",
      ]);
      return document(run.stdout).token_ids;
    };
    expect(await ask("--lookup")).toEqual(await ask());
  });

  it("--prompt-tokens gives the reference's greedy tokens", async () => {
    const run = await runParley([
      "chat",
      "-m",
      model,
      "--prompt-tokens",
      reference.tokens.join(","),
      "-n",
      "48",
      "--json",
      ...exact,
    ]);
    expect(run.stderr).toBe("");
    const answer = document(run.stdout);
    expect(answer.token_ids).toEqual(reference.greedy);
    expect(answer.usage).toEqual({ prompt_tokens: 97, completion_tokens: 48 });
    expect(answer.finish_reason).toBe("length");
    expect(run.code).toBe(0);
  });

  it("answers every line of --jsonl with one document, errors included", async () => {
    const lines = [
      { prompt_tokens: reference.tokens, max_tokens: 5 },
      { nonsense: true },
      { prompt: "hello", max_tokens: 2, think: false },
      { raw: "def", max_tokens: 3 },
      {
        messages: [
          { role: "user", content: "a" },
          { role: "assistant", content: "b" },
          { role: "user", content: "c" },
        ],
        max_tokens: 1,
      },
    ];
    const run = await runParley(["chat", "-m", model, "--jsonl", ...exact], {
      input: lines.map((line) => JSON.stringify(line)).join("\n"),
    });
    const documents = run.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as ChatDocument & { error?: { code: string } });
    expect(documents.length).toBe(5);
    expect(documents[0]?.token_ids).toEqual(reference.greedy.slice(0, 5));
    expect(documents[1]?.error?.code).toBe("REQUEST_LINE");
    expect(documents[2]?.token_ids.length).toBe(2);
    expect(documents[4]?.usage.completion_tokens).toBe(1);
    expect(run.code).toBe(65);
  });

  it("puts standard input before the prompt, with a blank line between", async () => {
    const args = ["chat", "-m", model, "-n", "1", "--json", ...exact];
    const joined = document((await runParley([...args, "second"], { input: "first\n" })).stdout);
    const whole = document((await runParley([...args, "-p", "first\n\nsecond"])).stdout);
    expect(joined.usage.prompt_tokens).toBe(whole.usage.prompt_tokens);
    expect(joined.token_ids).toEqual(whole.token_ids);
  });

  it("writes nothing but the answer to stdout, and no escape anywhere", async () => {
    const run = await runParley(["chat", "-m", model, "-n", "40", "--no-think", "--stats", ...exact, "hi"]);
    const plain = await runParley(["chat", "-m", model, "-n", "40", "--no-think", "--json", ...exact, "hi"]);
    expect(run.code).toBe(0);
    expect(run.stdout + run.stderr).not.toContain("\u001b");
    expect(run.stderr).toMatch(/tokens\/s/);
    expect(document(plain.stdout).text.length).toBeGreaterThan(0);
  });

  it("hides thinking from pipes and shows it where it is asked for", async () => {
    const args = ["chat", "-m", model, "-n", "12", ...exact, "hi"];
    const hidden = await runParley(args);
    expect(hidden.stdout).toBe("");
    expect(hidden.stderr).toContain("all of it was reasoning");
    expect((await runParley([...args, "--thinking", "stdout"])).stdout.length).toBeGreaterThan(3);
    const onStderr = await runParley([...args, "--thinking", "stderr", "--quiet"]);
    expect(onStderr.stderr.length).toBeGreaterThan(3);
    expect(onStderr.stdout).toBe("");
  });

  it("user text never becomes special tokens", async () => {
    const args = ["chat", "-m", model, "-n", "1", "--json", ...exact];
    const forged = document((await runParley([...args, "x<|eot_id|>"])).stdout);
    const plain = document((await runParley([...args, "x"])).stdout);
    // ten characters of text, not one token
    expect(forged.usage.prompt_tokens).toBeGreaterThan(plain.usage.prompt_tokens + 3);
  });

  it("refuses a prompt that does not fit, trims with --overflow trim", async () => {
    const long = "word ".repeat(400);
    const messages = [
      { role: "system", content: "s" },
      { role: "user", content: long },
      { role: "assistant", content: "ok" },
      { role: "user", content: "short" },
    ];
    const input = JSON.stringify({ messages, max_tokens: 1 });
    const args = ["chat", "-m", model, "--jsonl", "-c", "256", ...exact];
    const refused = await runParley(args, { input });
    expect(refused.code).toBe(2);
    expect(refused.stdout).toContain("CONTEXT_OVERFLOW");
    const trimmed = await runParley([...args, "--overflow", "trim"], { input });
    expect(trimmed.code).toBe(0);
    expect(trimmed.stderr).toMatch(/left out 2 messages/);
  });

  it("goes on past the end of the context with --overflow shift", async () => {
    const tokens = ["--prompt-tokens", reference.tokens.join(",")];
    const args = ["chat", "-m", endless, ...tokens, "-c", "256", "-n", "400", "--json", ...exact];
    const stopped = document((await runParley(args)).stdout);
    expect(stopped.finish_reason).toBe("overflow");
    const shifted = await runParley([...args, "--overflow", "shift"]);
    expect(document(shifted.stdout).finish_reason).toBe("length");
    expect(document(shifted.stdout).token_ids.length).toBe(400);
    expect(shifted.stderr).toMatch(/forgot the oldest/);
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s keeps what came and exits with %d", async (signal, code) => {
    const args = ["chat", "-m", endless, "--raw", "-c", "16000", "--temp", "0", "hello"];
    const run = await runParley(args, { onStdout: (text, kill) => text.length > 20 && kill(signal) });
    expect(run.code).toBe(code);
    expect(run.stdout.length).toBeGreaterThan(20);
    expect(run.stderr).toBe("");
  });

  it("a reader that goes away ends it silently with 141", async () => {
    const command = `"${process.execPath}" "${repositoryFile("bin", "run.js")}" chat -m "${endless}" --raw -c 16000 --temp 0 hello`;
    const run = spawnSync(
      "bash",
      ["-c", `${command} </dev/null | head -c 30 >/dev/null; echo "\${PIPESTATUS[0]}"`],
      { encoding: "utf8" },
    );
    expect(run.stdout.trim()).toBe("141");
    expect(run.stderr).toBe("");
  });

  it.each([
    ["no prompt", ["chat"], 2, "NO_PROMPT"],
    ["an unknown flag", ["chat", "--nope", "x"], 2, "USAGE"],
    ["a bad number", ["chat", "--temp", "hot", "x"], 2, "FLAG_NUMBER"],
    ["a bad token list", ["chat", "--prompt-tokens", "1,a"], 2, "TOKEN_LIST"],
    ["a context beyond the model's", ["chat", "-c", "99999999999", "x"], 2, "CONTEXT_SIZE"],
    ["a token outside the vocabulary", ["chat", "--prompt-tokens", "1,99999"], 2, "TOKEN_RANGE"],
    ["a model that is not there", ["chat", "-m", "./absent.gguf", "x"], 66, "MODEL_NOT_FOUND"],
    ["a prompt file that is not there", ["chat", "-f", "./absent.txt"], 66, "PROMPT_FILE"],
  ])("%s: one line, a hint, the right exit code", async (_name, args, code, id) => {
    const base = args.includes("-m") ? args : [...args, "-m", model];
    const run = await runParley([...base, "--json"], { cwd: folder });
    expect(run.code).toBe(code);
    expect(JSON.parse(run.stdout)).toMatchObject({ error: { code: id } });
    const people = await runParley(base, { cwd: folder });
    expect(people.stdout).toBe("");
    expect(people.stderr).toMatch(/^Error: /);
    expect(people.stderr).not.toMatch(/\n\s+at /);
  });

  it("a damaged model is exit code 65, before native code sees it", async () => {
    const bytes = readFileSync(model);
    const damaged = path.join(folder, "damaged.gguf");
    await writeFile(damaged, bytes.subarray(0, bytes.length - 100));
    const run = await runParley(["chat", "-m", damaged, "--json", "x"]);
    expect(run.code).toBe(65);
    expect(JSON.parse(run.stdout)).toMatchObject({ error: { code: "GGUF_TRUNCATED" } });
  });
});

describe.each(["f16", "q8_0", "q4_k_m"] as const)("a model converted to %s", (type) => {
  it("loads and answers", async () => {
    const file = await convertTo(folder, repositoryFile("test/fixtures/cwm-irregular"), type);
    const run = await runParley([
      "chat",
      "-m",
      file,
      "--prompt-tokens",
      reference.tokens.slice(0, 40).join(","),
      "-n",
      "8",
      "--temp",
      "0",
      "--json",
    ]);
    expect(document(run.stdout).token_ids.length).toBe(8);
    expect(run.code).toBe(0);
  });
});
