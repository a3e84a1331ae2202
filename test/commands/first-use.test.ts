import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { startHub, temporaryFolder, variablesFor } from "../engine/hub/hub-fixture.js";
import { makeRepo, type FileRecipe } from "../engine/hub/server/served-repo.js";
import { engineFolder, repositoryFile } from "../helpers/models.js";
import { runParley } from "../helpers/run-parley.js";

/** The bundled model, as its authors might have published it. */
async function publishedModel() {
  const folder = repositoryFile("models", "pocket-cwm");
  const recipes: Record<string, FileRecipe> = {};
  for (const name of await readdir(folder)) {
    const storage = name.endsWith(".safetensors") ? "lfs" : "git";
    recipes[name] = { content: await readFile(path.join(folder, name)), storage };
  }
  return makeRepo("org/tiny", recipes);
}

async function setUp() {
  const server = await startHub();
  const repo = server.add(await publishedModel());
  const home = await temporaryFolder();
  const engine = { PARLEY_ENGINE: await engineFolder() };
  const variables = { ...variablesFor(server, home), ...engine, HF_HUB_DOWNLOAD_TIMEOUT: "20" };
  const run = (...args: string[]) => runParley(args, { bare: true, env: variables });
  const chat = (...args: string[]) =>
    run("chat", "-m", "org/tiny", "-n", "4", "--temp", "0", "--json", ...args, "hello");
  return { server, repo, home, run, chat };
}

const idsIn = (stdout: string) => (JSON.parse(stdout) as { token_ids: number[] }).token_ids;

describe("a model of the Hub on a machine that has nothing", () => {
  it("is downloaded, converted, remembered and run, and needs no network the second time", async () => {
    const { server, repo, run, chat } = await setUp();
    const first = await chat();
    expect(first.code).toBe(0);
    expect(idsIn(first.stdout)).toHaveLength(4);
    const listed = JSON.parse((await run("models", "--json")).stdout) as { models: object[] };
    const source = `hub:org/tiny@${repo.commit}`;
    expect(listed.models).toEqual([expect.objectContaining({ name: "org/tiny", source, family: "cwm" })]);
    await server.stop();
    for (const offline of [[], ["--offline"]]) {
      const again = await chat(...offline);
      expect(again).toMatchObject({ code: 0, stderr: "" });
      expect(idsIn(again.stdout)).toEqual(idsIn(first.stdout));
    }
  });

  it("is made once by two processes", async () => {
    const { server, run, chat } = await setUp();
    const runs = await Promise.all([chat(), chat()]);
    expect(runs.map(({ code }) => code)).toEqual([0, 0]);
    // Headers are read by ranges; a download starts without one.
    const downloads = server.requests.filter(
      ({ file, origin, headers }) =>
        file === "model.safetensors" && origin === "cdn" && headers.range === undefined,
    );
    expect(downloads).toHaveLength(1);
    const listed = JSON.parse((await run("models", "--json")).stdout) as { models: object[] };
    expect(listed.models).toHaveLength(1);
  });

  it("loses its download with --remove-download, and runs on", async () => {
    const { server, home, chat } = await setUp();
    expect((await chat("--remove-download")).code).toBe(0);
    const blobs = path.join(home, ".cache/huggingface/hub/models--org--tiny/blobs");
    expect(await readdir(blobs)).toEqual([]);
    await server.stop();
    expect((await chat()).code).toBe(0);
  });

  it("is not there with --offline: exit code 69", async () => {
    const { server, chat } = await setUp();
    const { code, stdout } = await chat("--offline");
    expect(code).toBe(69);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "HUB_OFFLINE" } });
    expect(server.requests).toEqual([]);
  });
});

describe("parley convert of a Hub id", () => {
  it("plans from the headers alone with --dry-run", async () => {
    const { home, run } = await setUp();
    const { code, stdout } = await run("convert", "org/tiny", "--dry-run", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ architecture: "cwm" });
    const files = await readdir(home, { recursive: true });
    expect(files.filter((name) => name.includes("blobs"))).toEqual([]);
  });

  it("converts, and removes the download on request", async () => {
    const { home, run } = await setUp();
    const output = path.join(home, "out.gguf");
    const { code, stdout } = await run("convert", "org/tiny", "-t", "f16", "-o", output, "--remove-download");
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${output}\n` });
    expect((await readFile(output)).toString("latin1", 0, 4)).toBe("GGUF");
    expect(await readdir(path.join(home, ".cache/huggingface/hub/models--org--tiny/blobs"))).toEqual([]);
  });
});
