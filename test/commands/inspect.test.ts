import { readFileSync } from "node:fs";
import { readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseMessages } from "../../src/engine/chat/parse-messages.js";
import { assemblePrompt } from "../../src/engine/chat/prompt.js";
import { TemplateRenderer } from "../../src/engine/chat/template-renderer.js";
import { renderConversation } from "../../src/engine/client/render-conversation.js";
import type { TextSession } from "../../src/engine/client/text-session.js";
import type { ChatData } from "../../src/engine/families/chat-behaviour.js";
import { readNpy } from "../../src/engine/formats/npy.js";
import { convertTo, openModel, repositoryFile, temporaryFolder } from "../helpers/models.js";
import { runParley } from "../helpers/run-parley.js";

interface Case {
  name: string;
  checkpoint: string;
  messages: ChatData[];
  options: {
    add_generation_prompt: boolean;
    enable_thinking?: boolean;
    preserve_previous_think?: boolean;
    tools?: ChatData[];
  };
  text: string;
  ids: number[];
}

const CASES = JSON.parse(readFileSync(repositoryFile("test/reference/data/chat.json"), "utf8")) as Case[];

let folder: string;
const models = new Map<string, string>();
beforeAll(async () => {
  folder = await temporaryFolder();
  for (const name of new Set(CASES.map(({ checkpoint }) => checkpoint)))
    models.set(name, await convertTo(folder, repositoryFile("test/fixtures", name), "f32"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const given = ({ messages, options: { tools } }: Case) => (tools ? { messages, tools } : { messages });

describe.each([...new Set(CASES.map(({ checkpoint }) => checkpoint))])("prompts of %s", (checkpoint) => {
  let session: TextSession;
  const renderer = new TemplateRenderer();
  beforeAll(async () => {
    ({ session } = await openModel(models.get(checkpoint)!));
  });
  afterAll(() => Promise.all([session.close(), renderer.close()]));

  const cases = CASES.filter((one) => one.checkpoint === checkpoint);
  it.each(cases.map((one) => [`${one.name} ${switches(one)}`, one] as const))("%s", async (_name, one) => {
    const { messages, tools } = parseMessages(given(one), one.name);
    const rendered = await renderConversation(renderer, session.facts, {
      messages,
      ...(tools ? { tools } : {}),
      addGenerationPrompt: one.options.add_generation_prompt,
      conversation: {
        thinking: one.options.enable_thinking ?? true,
        keepThoughts: one.options.preserve_previous_think ?? true,
        system: "",
      },
    });
    expect(rendered.text).toBe(one.text);
    const ids = await assemblePrompt(rendered.segments, (text, special) => session.tokenize(text, special));
    expect(ids).toEqual(one.ids);
  });
});

function switches({ options }: Case): string {
  return [
    options.enable_thinking === false ? "--no-think" : "",
    options.preserve_previous_think === false ? "--no-keep-thoughts" : "",
    options.add_generation_prompt ? "" : "without a generation prompt",
  ]
    .filter(Boolean)
    .join(" ");
}

async function document(...args: string[]): Promise<unknown> {
  const run = await runParley(["inspect", ...args, "--json"]);
  expect(run.stderr).toBe("");
  expect(run.code).toBe(0);
  return JSON.parse(run.stdout);
}

describe("parley inspect prompt", () => {
  it.each([
    ["cwm-regular", "two thoughts", "--no-think --no-keep-thoughts"],
    ["glm-biases", "special strings everywhere", ""],
  ])("of %s: %s %s", async (checkpoint, name, flags) => {
    const one = CASES.find(
      (found) => found.checkpoint === checkpoint && found.name === name && switches(found) === flags,
    )!;
    const file = path.join(folder, `${checkpoint}.json`);
    await writeFile(file, JSON.stringify(given(one)));
    const args = ["--messages", file, ...flags.split(" ").filter(Boolean)];
    expect(await document("prompt", models.get(checkpoint)!, ...args)).toEqual({
      text: one.text,
      ids: one.ids,
    });
  });
});

describe("parley inspect tokens", () => {
  it("gives ids, pieces and byte offsets; special strings are text unless --special is given", async () => {
    const model = models.get("cwm-regular")!;
    const text = "a<|eot_id|>\u00e9";
    const plain = (await document("tokens", model, text)) as { ids: number[]; pieces: string[] };
    expect(plain.ids).not.toContain(439);
    expect(plain.pieces.slice(0, -2).join("")).toBe("a<|eot_id|>");
    expect(await document("tokens", model, text, "--special")).toEqual({
      ids: [64, 439, 127, 102],
      pieces: ["a", "<|eot_id|>", "\ufffd", "\ufffd"],
      offsets: [0, 1, 11, 12],
    });
  });

  it("takes time in proportion to the text", async () => {
    const text = "q7".repeat(60_000);
    const { offsets } = (await document("tokens", models.get("cwm-regular")!, text)) as { offsets: number[] };
    expect(offsets.length).toBeGreaterThan(100_000);
    expect(offsets.at(-1)).toBe(text.length - 1);
  }, 30_000);
});

describe("parley inspect forward", () => {
  it("writes what was asked for, and names the likeliest tokens", async () => {
    const out = path.join(folder, "new", "out");
    const outputs = ["--logits", "--hidden-states", "--attentions", "--out", out];
    const model = models.get("cwm-regular")!;
    const answer = (await document(
      "forward",
      model,
      "--tokens",
      "1,2,3",
      ...outputs,
      "--kv-type",
      "f32",
    )) as {
      next: { id: number; logit: number }[];
      files: unknown;
    };
    expect(answer.files).toEqual([
      { path: path.join(out, "logits.npy"), shape: [3, 448] },
      { path: path.join(out, "hidden_states.npy"), shape: [6, 3, 32] },
      { path: path.join(out, "attentions.npy"), shape: [5, 4, 3, 3] },
    ]);
    expect((await readdir(out)).sort()).toEqual(["attentions.npy", "hidden_states.npy", "logits.npy"]);
    const logits = await readNpy(path.join(out, "logits.npy"));
    expect(logits.shape).toEqual([3, 448]);
    const last = logits.data.subarray(-448);
    expect(answer.next.length).toBe(5);
    expect(answer.next[0]?.logit).toBe(Math.max(...last));
    expect(last[answer.next[0]?.id ?? -1]).toBe(answer.next[0]?.logit);
    expect((await readNpy(path.join(out, "hidden_states.npy"))).shape).toEqual([6, 3, 32]);
    const attentions = await readNpy(path.join(out, "attentions.npy"));
    expect(attentions.shape).toEqual([5, 4, 3, 3]);
    // a first token sees itself alone
    expect([...attentions.data.subarray(0, 3)]).toEqual([1, 0, 0]);
  });
});

describe("parley inspect refuses", () => {
  it.each([
    ["TEXT and --tokens together", ["forward", "MODEL", "a", "--tokens", "1"], "USAGE"],
    ["neither of them", ["forward", "MODEL"], "USAGE"],
    ["--out without outputs", ["forward", "MODEL", "a", "--out", "x"], "USAGE"],
    ["outputs without --out", ["forward", "MODEL", "a", "--logits"], "USAGE"],
    [
      "a token outside the vocabulary",
      ["forward", "MODEL", "--tokens", "448", "--logits", "--out", "x"],
      "TOKEN_RANGE",
    ],
    ["TEXT and --messages together", ["prompt", "MODEL", "a", "--messages", "x.json"], "USAGE"],
  ])("%s", async (_name, args, code) => {
    const model = models.get("cwm-regular")!;
    const command = args.map((arg) => (arg === "MODEL" ? model : arg));
    const run = await runParley(["inspect", ...command, "--json"], { cwd: folder });
    expect(JSON.parse(run.stdout)).toMatchObject({ error: { code } });
    expect(run.code).toBe(2);
  });
});
