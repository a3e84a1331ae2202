// npm test: everything the tests need is made here, so that a fresh clone needs nothing else.
// npm test -- ARGS passes arguments to vitest. The last line is "N passed, N failed".
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { ensureBuilt, ensureDependencies, must, root, step } from "./prepare.mjs";

ensureDependencies();
ensureBuilt();
step("the engine (compiled once, then reused)");
must(process.execPath, [path.join(root, "bin", "run.js"), "engine", "build"]);

const bin = (...parts) => path.join(root, "node_modules", ...parts);
const args = process.argv.slice(2);
let failedChecks = 0;
if (args.length === 0) {
  step("types, lint, format");
  const checks = [
    [bin("typescript", "bin", "tsc"), "-p", "tsconfig.json"],
    [bin("eslint", "bin", "eslint.js"), "--max-warnings", "0", "."],
    [bin("prettier", "bin", "prettier.cjs"), "--check", "--log-level", "warn", "."],
  ];
  for (const check of checks) {
    if (spawnSync(process.execPath, check, { cwd: root, stdio: "inherit" }).status !== 0) failedChecks++;
  }
}

step("tests");
const scratch = mkdtempSync(path.join(os.tmpdir(), "parley-test-"));
const report = path.join(scratch, "report.json");
spawnSync(
  process.execPath,
  [
    bin("vitest", "vitest.mjs"),
    "run",
    "--reporter=default",
    "--reporter=json",
    `--outputFile=${report}`,
    ...args,
  ],
  { cwd: root, stdio: "inherit" },
);
let results;
try {
  results = JSON.parse(readFileSync(report, "utf8"));
} catch {
  results = { numPassedTests: 0, numFailedTests: 1, numPendingTests: 0, success: false };
}
rmSync(scratch, { recursive: true, force: true });

// a file that cannot be loaded fails without a failed test in it
const brokenFiles = (results.testResults ?? []).filter(
  (file) => file.status === "failed" && file.assertionResults.length === 0,
).length;
const failed = results.numFailedTests + brokenFiles + failedChecks;
if (results.numPendingTests > 0) console.log(`${results.numPendingTests} skipped (each says why above)`);
console.log(`${results.numPassedTests} passed, ${failed} failed`);
process.exit(failed === 0 && results.numPassedTests > 0 ? 0 : 1);
