import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { repositoryFile } from "../../helpers/models.js";

interface Summary {
  count: number;
  median: number;
  p99: number;
}

/**
 * Milliseconds. The target is 16 at the 99th percentile on a machine that does nothing else (docs/measurements.md); tests
 * run beside others. What grows with the transcript goes far beyond this at 2,000 turns.
 */
const MOST_MEDIAN = 25;
const MOST_P99 = 250;

describe("the chat screen behind 2,000 turns", () => {
  it("takes keys and tokens in a moment", { timeout: 600_000 }, async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [
      repositoryFile("scripts/bench-chat-screen.mjs"),
      ...["--turns", "2000", "--keys", "60", "--tokens", "60", "--json"],
    ]);
    const { key_ms, token_ms } = JSON.parse(stdout) as { key_ms: Summary; token_ms: Summary };
    for (const { count, median, p99 } of [key_ms, token_ms]) {
      expect(count).toBe(60);
      expect(median).toBeLessThan(MOST_MEDIAN);
      expect(p99).toBeLessThan(MOST_P99);
    }
  });
});
