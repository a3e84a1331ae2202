import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { startHub, temporaryFolder, variablesFor } from "../engine/hub/hub-fixture.js";
import { checkpointRecipes, makeRepo } from "../engine/hub/server/served-repo.js";
import { runParley } from "../helpers/run-parley.js";

async function setUp() {
  const server = await startHub();
  const repo = server.add(makeRepo("org/model", checkpointRecipes(200_000)));
  const home = await temporaryFolder();
  const variables = {
    ...variablesFor(server, home),
    HF_HUB_ETAG_TIMEOUT: "20",
    HF_HUB_DOWNLOAD_TIMEOUT: "20",
  };
  const run = (...args: string[]) => runParley(["download", ...args], { bare: true, env: variables });
  return { server, repo, home, run, variables };
}

describe("parley download", () => {
  it("prints the snapshot folder and nothing else on stdout", async () => {
    const { repo, home, run } = await setUp();
    const { code, stdout, stderr } = await run("org/model");
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `${path.join(home, ".cache/huggingface/hub/models--org--model/snapshots", repo.commit)}\n`,
    });

    expect(stderr).not.toMatch(/\u001b|Error/);
    expect(await readdir(stdout.trim())).toHaveLength(4);
  });

  it("prints one JSON document with --json, and says what was cached the second time", async () => {
    const { repo, run } = await setUp();
    const first = JSON.parse((await run("org/model", "--json")).stdout) as { files: unknown[] };
    expect(first).toMatchObject({ repo: "org/model", revision: "main", commit: repo.commit });
    expect(first.files).toContainEqual({
      path: "model.safetensors",
      bytes: 200_000,
      sha256: repo.files.get("model.safetensors")?.sha256,
      status: "downloaded",
    });
    const second = JSON.parse((await run("org/model", "--json")).stdout) as { files: { status: string }[] };
    expect(second.files.map(({ status }) => status)).toEqual(["cached", "cached", "cached", "cached"]);
  });

  it("takes files, globs and a folder of the user's", async () => {
    const { home, run } = await setUp();
    const local = path.join(home, "here");
    expect(await run("org/model", "config.json", "tokenizer.json", "--local-dir", local)).toMatchObject({
      code: 0,
      stdout: `${local}\n`,
    });
    expect((await readdir(local)).sort()).toEqual([".cache", "config.json", "tokenizer.json"]);
    const globs = await run(
      "org/model",
      "--include",
      "*.json",
      "--include",
      "*.md",
      "--exclude",
      "tok*",
      "--json",
    );
    const names = (JSON.parse(globs.stdout) as { files: { path: string }[] }).files.map((file) => file.path);
    expect(names).toEqual(["README.md", "config.json"]);
  });

  it("shows a plan with --dry-run and writes nothing", async () => {
    const { home, run, server } = await setUp();
    const people = await run("org/model", "--dry-run");
    expect(people.stdout).toMatch(/200 kB {2}missing {2}model\.safetensors\n/);
    expect(people.stdout).toMatch(/org\/model at [0-9a-f]{12}: 200 kB in 4 files, 200 kB to fetch/);
    const json = JSON.parse((await run("org/model", "--dry-run", "--json")).stdout) as object;
    expect(json).toMatchObject({ repo: "org/model", missingBytes: expect.any(Number) as number });
    expect(server.requests.some(({ url }) => url.includes("/resolve/"))).toBe(false);
    expect((await readdir(home, { recursive: true })).some((name) => name.includes("blobs"))).toBe(false);
  });

  it.each<[string, string[], number, RegExp]>([
    ["an unknown model", ["org/nothing"], 66, /has no model org\/nothing/],
    ["an unknown revision", ["org/model@nope"], 66, /no revision "nope"/],
    ["an unknown file", ["org/model", "nope.json"], 66, /no file "nope.json"/],
    ["no model name", ["cwm"], 2, /does not name a model on the Hub/],
    ["files and globs", ["org/model", "a", "--include", "b"], 2, /exclude each other/],
    ["two places", ["org/model", "--local-dir", "/x", "--cache-dir", "/y"], 2, /local-dir/],
    ["offline mode", ["org/model", "--offline"], 69, /offline mode/],
    ["a token that is none", ["org/model", "--token", "hf_x\ny"], 2, /--token option/],
  ])("ends with its exit code for %s", async (_, args, expected, words) => {
    const { run } = await setUp();
    const { code, stdout, stderr } = await run(...args);
    expect({ code, stdout }).toEqual({ code: expected, stdout: "" });
    expect(stderr).toMatch(words);
    expect(stderr).not.toMatch(/ {4}at |hf_x/);
  });

  it("explains a gated model, with the token's origin and never the token", async () => {
    const { run, server, variables } = await setUp();
    server.gatedToken = "hf_right";
    const without = await run("org/model");
    expect(without.code).toBe(77);
    expect(without.stderr).toContain(`${server.endpoint}/org/model`);
    const wrong = await runParley(["download", "org/model", "--json"], {
      bare: true,
      env: {
        ...variables,
        HF_TOKEN: "hf_WrongWrongWrong",
      },
    });
    expect(wrong.code).toBe(77);
    expect(wrong.stdout + wrong.stderr).toContain("HF_TOKEN environment variable");
    expect(wrong.stdout + wrong.stderr).not.toContain("hf_WrongWrongWrong");
    expect((await run("org/model", "--token", "hf_right")).code).toBe(0);
  });

  it("stops at Ctrl-C with 130 and goes on the next time", async () => {
    const { run, server, repo, home } = await setUp();
    server.faults = ({ origin }) => (origin === "cdn" ? { kind: "stall", afterBytes: 150_000 } : undefined);
    const { spawn } = await import("node:child_process");
    const { packageRoot } = await import("../../src/engine/system/package-root.js");
    const script = path.join(packageRoot(), "bin", "run.js");
    const env = { HOME: home, HF_ENDPOINT: server.endpoint };
    const child = spawn(process.execPath, [script, "download", "org/model"], { env, stdio: "ignore" });
    while (server.contentRequests("model.safetensors").every(({ sentBytes }) => sentBytes < 150_000)) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
    child.kill("SIGINT");
    const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
      child.once("exit", (...ending) => resolve(ending));
    });
    expect(signal === "SIGINT" || code === 130).toBe(true);
    server.faults = () => undefined;
    const again = JSON.parse((await run("org/model", "--json")).stdout) as {
      path: string;
      files: { path: string; status: string }[];
    };
    expect(again.files.find((file) => file.path === "model.safetensors")?.status).toBe("resumed");
    const content = await readFile(path.join(again.path, "model.safetensors"));
    expect(repo.files.get("model.safetensors")?.content.equals(content)).toBe(true);
  });
});
