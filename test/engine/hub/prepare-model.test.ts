import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { ModelConverter } from "../../../src/engine/hub/model-converter.js";
import type { ModelReference } from "../../../src/engine/hub/model-reference.js";
import { ModelStore } from "../../../src/engine/hub/model-store.js";
import { findReadyModel, type ReadyModel } from "../../../src/engine/hub/find-ready-model.js";
import {
  prepareModel,
  type PrepareEvent,
  type PrepareOptions,
} from "../../../src/engine/hub/prepare-model.js";
import { openHub, startHub, temporaryFolder } from "./hub-fixture.js";
import { checkpointRecipes, makeRepo } from "./server/served-repo.js";

/** A converter that copies config.json, and counts. */
function countingConverter(
  options: { delayMs?: number; bytes?: number } = {},
): ModelConverter & { runs: string[] } {
  const runs: string[] = [];
  return {
    version: "1",
    runs,
    plan: async (source, type) => {
      const config = await source.open("config.json");
      const text = Buffer.from(await config.read(0, config.size)).toString();
      await config.close();
      if (!text.includes("LlamaForCausalLM")) throw new Error("another architecture");
      return { type: type === "auto" ? "bf16" : type, family: "llama", bytes: options.bytes ?? 1000 };
    },
    convert: async ({ folder, outFile, type }, { onProgress, signal }) => {
      onProgress(0, 10);
      await new Promise((resolve) => setTimeout(resolve, options.delayMs ?? 0));
      signal?.throwIfAborted();
      await readFile(path.join(folder, "model.safetensors"));
      await writeFile(outFile, `GGUF ${type}`);
      runs.push(type);
      onProgress(10, 10);
    },
  };
}

async function run(
  reference: ModelReference,
  options: PrepareOptions,
): Promise<ReadyModel & { events: PrepareEvent[] }> {
  const events: PrepareEvent[] = [];
  const job = prepareModel(reference, options);
  for (;;) {
    const step = await job.next();
    if (step.done === true) return { ...step.value, events };
    events.push(step.value);
  }
}

async function setUp(converter = countingConverter()) {
  const server = await startHub();
  const repo = server.add(makeRepo("org/model", checkpointRecipes(100_000)));
  const home = await temporaryFolder();
  const store = new ModelStore(path.join(home, "store"));
  const options: PrepareOptions & { converter: typeof converter } = {
    hub: await openHub(server, home),
    store,
    converter,
    type: "auto",
  };
  const reference: ModelReference = { kind: "hub", repo: "org/model", revision: "main" };
  return { server, repo, home, options, reference };
}

describe("prepareModel", () => {
  it("hands a GGUF file through", async () => {
    const { options } = await setUp();
    expect(await run({ kind: "gguf", path: "/x.gguf" }, options)).toEqual({ path: "/x.gguf", events: [] });
  });

  it("downloads and converts once, and finds it again without a network", async () => {
    const { server, options, reference } = await setUp();
    expect(await findReadyModel(reference, options)).toBeUndefined();
    const first = await run(reference, options);
    expect(await readFile(first.path, "utf8")).toBe("GGUF bf16");
    expect(first.events.map(({ type }) => type)).toContain("download");
    expect(first.events.at(-1)).toEqual({ type: "convert", doneBytes: 10, totalBytes: 10 });
    await server.stop();
    const second = await run(reference, options);
    expect(second).toEqual({ path: first.path, stored: expect.anything() as unknown, events: [] });
    const byType = await run(reference, { ...options, type: "bf16" });
    expect(byType.path).toBe(first.path);
    expect(options.converter.runs).toEqual(["bf16"]);
  });

  it("converts again for another type without downloading again", async () => {
    const { server, options, reference } = await setUp();
    const first = await run(reference, options);
    server.requests.length = 0;
    const second = await run(reference, { ...options, type: "q8_0" });
    expect(second.path).not.toBe(first.path);
    expect(server.requests).toEqual([]);
    expect(options.converter.runs).toEqual(["bf16", "q8_0"]);
  });

  it("knows that auto means a type that is there already", async () => {
    const { options, reference } = await setUp();
    await run(reference, { ...options, type: "bf16" });
    await run(reference, options);
    expect(options.converter.runs).toEqual(["bf16"]);
    expect((await options.store.list())[0]?.askedFor).toEqual(["bf16", "auto"]);
  });

  it("does not download a model the converter cannot read", async () => {
    const { server, options, reference } = await setUp();
    server.add(makeRepo("org/model", { ...checkpointRecipes(100_000), "config.json": "{}" }));
    await expect(run(reference, options)).rejects.toThrow("another architecture");
    const fetched = server.requests.filter(({ file }) => file === "model.safetensors");
    expect(fetched).toEqual([]);
  });

  it("downloads the commit it looked at, even when the branch moves meanwhile", async () => {
    const { server, repo, options, reference } = await setUp();
    const plan = options.converter.plan.bind(options.converter);
    const converter: ModelConverter = {
      ...options.converter,
      plan: async (source, type) => {
        const estimate = await plan(source, type);
        server.faults = ({ url }) =>
          url.includes("/revision/") ? { kind: "status", status: 500 } : undefined;
        return estimate;
      },
    };
    const { stored } = await run(reference, { ...options, converter });
    expect(stored?.source.content).toBe(`hub:org/model@${repo.commit}`);
  });

  it("checks the disk for download and conversion together before it starts", async () => {
    const { server, options, reference, home } = await setUp(countingConverter({ bytes: 5_000_000 }));
    const hub = await openHub(server, home, { freeBytes: () => Promise.resolve(4_000_000) });
    await expect(run(reference, { ...options, hub })).rejects.toMatchObject({ code: "DISK_SPACE" });
    expect(server.requests.some(({ file }) => file === "model.safetensors")).toBe(false);
  });

  it("removes the download afterwards when asked to, and still finds the model", async () => {
    const { server, options, reference, home } = await setUp();
    const first = await run(reference, { ...options, source: "remove" });
    const folder = path.join(home, ".cache/huggingface/hub/models--org--model");
    expect(await readdir(path.join(folder, "blobs"))).toEqual([]);
    expect(await readFile(first.path, "utf8")).toBe("GGUF bf16");
    await server.stop();
    expect((await run(reference, options)).path).toBe(first.path);
  });

  it("makes a second one wait instead of doing it twice", async () => {
    const { options, reference } = await setUp(countingConverter({ delayMs: 300 }));
    const [first, second] = await Promise.all([run(reference, options), run(reference, options)]);
    expect(first.path).toBe(second.path);
    expect(options.converter.runs).toEqual(["bf16"]);
    expect([...first.events, ...second.events].some(({ type }) => type === "waiting")).toBe(true);
  });

  it("leaves nothing behind when a conversion is stopped", async () => {
    const { options, reference } = await setUp(countingConverter({ delayMs: 200 }));
    const abort = new AbortController();
    const job = prepareModel(reference, { ...options, signal: abort.signal });
    await expect(
      (async () => {
        for await (const event of job) if (event.type === "convert") abort.abort();
      })(),
    ).rejects.toMatchObject({ name: "AbortError" });
    expect(await options.store.list()).toEqual([]);
    expect((await run(reference, options)).stored).toBeDefined();
  });

  it("releases its lock when nobody listens any more", async () => {
    const { options, reference } = await setUp(countingConverter({ delayMs: 100 }));
    for await (const event of prepareModel(reference, options)) if (event.type === "convert") break;
    expect((await run(reference, options)).stored).toBeDefined();
  });
});

describe("a checkpoint folder", () => {
  it("is converted again when it changes, and not when it does not", async () => {
    const { options, home } = await setUp();
    const folder = path.join(home, "mine");
    await mkdir(folder);
    await writeFile(path.join(folder, "config.json"), "LlamaForCausalLM");
    await writeFile(path.join(folder, "model.safetensors"), "weights");
    const reference: ModelReference = { kind: "folder", path: folder };
    const first = await run(reference, options);
    expect((await run(reference, options)).path).toBe(first.path);
    await writeFile(path.join(folder, "config.json"), "LlamaForCausalLM 2");
    const edited = await run(reference, options);
    expect(edited.path).not.toBe(first.path);
    await rm(path.join(folder, "model.safetensors"));
    await writeFile(path.join(folder, "model.safetensors"), "weighty");
    const replaced = await run(reference, options);
    expect(replaced.path).not.toBe(edited.path);
    await cp(folder, path.join(home, "copy"), { recursive: true });
    expect(options.converter.runs).toHaveLength(3);
    expect(await readdir(folder)).toEqual(["config.json", "model.safetensors"]);
  });
});
