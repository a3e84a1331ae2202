import { appendFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { seededNumbers } from "../../../helpers/seeded-random.js";
import { corruptDownloads } from "./corruptions.js";
import { downloadAtOnce } from "./crowd.js";
import { compareWithCurl } from "./throughput.js";
import { fillDisks } from "./full-disks.js";
import { killDownloads } from "./kills.js";

/** `node scripts/hub-campaign.mjs` runs these in full; every test run does a part of them. */
const full = process.env.PARLEY_HUB_CAMPAIGN === "full";
const seed = Number(process.env.PARLEY_HUB_SEED ?? 1);
const timeout = full ? 3_600_000 : 120_000;

async function record(name: string, report: object): Promise<void> {
  const file = process.env.PARLEY_HUB_REPORT;
  if (file !== undefined) await appendFile(file, `${JSON.stringify({ name, ...report })}\n`);
}

describe.runIf(full && process.platform === "linux" && process.getuid?.() === 0)(
  "full disks",
  { timeout },
  () => {
    it("end a download with exit code 74, and it goes on when there is room", async () => {
      const report = await fillDisks(50);
      await record("full disks", report);
      expect(report).toEqual({ sizes: 50, reported: 50, resumed: 50, other: [], damage: [] });
    });
  },
);

describe.runIf(full)("the speed of downloads", { timeout }, () => {
  it("is at least 0.8 of curl's, hashing included", async () => {
    const report = await compareWithCurl(7);
    await record("throughput", report);
    expect(report.ratio).toBeGreaterThanOrEqual(0.8);
  });
});

describe("downloads under fire", { timeout }, () => {
  it("survive being killed at any moment", async () => {
    const report = await killDownloads(full ? 500 : 20, seededNumbers(seed));
    await record("kills", report);
    expect(report.damage).toEqual([]);
    expect(report.remains).toEqual([]);
    expect(report.savedBytes).toBeGreaterThan(report.kills * 100_000);
    expect(report.mostRefetchedBytes).toBeLessThanOrEqual(8 * 1024 * 1024);
  });

  it("never take a damaged content for a good one", async () => {
    const report = await corruptDownloads(full ? 1000 : 60, seededNumbers(seed));
    await record("corruptions", report);
    expect(report.accepted).toEqual([]);
    // Only what is damaged in every transfer cannot be healed.
    expect(report.refused).toBe(report.injected / 4);
    expect(report.healed).toBe((report.injected / 4) * 3);
  });

  it("do not get into each other's way: eight processes at once", async () => {
    const report = await downloadAtOnce(full ? 100 : 1, 8, "working");
    await record("eight processes", report);
    expect(report).toMatchObject({ damage: [], remains: [], mostFetches: 1 });
  });

  it("stay right where locks do not work, at the price of fetching twice", async () => {
    const report = await downloadAtOnce(full ? 100 : 1, 8, "broken");
    await record("eight processes without locks", report);
    expect(report.damage).toEqual([]);
    expect(report.mostFetches).toBeGreaterThan(0);
  });
});
