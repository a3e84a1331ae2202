import { spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync } from "node:fs";
import { expect, it } from "vitest";
import { repositoryFile } from "../helpers/models.js";

it.skipIf(!existsSync("/dev/full")).each([
  ["an answer", ["inspect", "config", repositoryFile("test/fixtures/cwm-regular")]],
  ["an error document", ["inspect", "absent.gguf", "--json"]],
  ["help", ["help"]],
])("%s that cannot be written ends with 74 and one line", (_name, args) => {
  const full = openSync("/dev/full", "w");
  const run = spawnSync(process.execPath, [repositoryFile("bin", "run.js"), ...args], {
    stdio: ["ignore", full, "pipe"],
    encoding: "utf8",
  });
  closeSync(full);
  expect(run.stderr).toBe("Error: standard output cannot be written: ENOSPC\n");
  expect(run.status).toBe(74);
});

const hasScript = process.platform === "linux" && spawnSync("script", ["--version"]).status === 0;

it.runIf(hasScript)("a terminal that says it has no columns gets a whole page", () => {
  const command = `"${process.execPath}" "${repositoryFile("bin", "run.js")}" inspect "${repositoryFile("test/fixtures/cwm-regular")}"`;
  const run = spawnSync("script", ["-qec", `stty cols 0 && ${command}`, "/dev/null"], {
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    timeout: 50_000,
  });
  expect(run.stdout).toContain("Code World Model · CwmForCausalLM");
  expect(run.stdout).toContain("licence");
  expect(run.status).toBe(0);
});
