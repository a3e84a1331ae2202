import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { TestHub } from "../server/hub-server.js";
import { makeRepo, noise } from "../server/served-repo.js";
import { startChildDownload } from "./child-download.js";
import { withHome } from "./with-home.js";

export interface ThroughputReport {
  readonly bytes: number;
  /** MB/s of each run, process start included, in the order of the runs. */
  readonly curl: readonly number[];
  /** The same until the file is on the disk, as parley's is. */
  readonly curlAndSync: readonly number[];
  readonly parley: readonly number[];
  /** The same from the moment the transfer may begin. */
  readonly parleyTransfer: readonly number[];
  /** Median of parley / curl, pair by pair, process start included. */
  readonly ratio: number;
  /** Median of parley / curlAndSync. */
  readonly ratioToSynced: number;
}

const execute = promisify(execFile);

/** Large enough that starting node, 0.1 s, does not decide. */
const bytes = 2_000_000_000;

/** Fetches one large file with curl and with parley in turn, from the same server. */
export async function compareWithCurl(pairs: number): Promise<ThroughputReport> {
  const server = await TestHub.start();
  const repo = server.add(
    makeRepo("org/model", { "model.safetensors": { content: noise(bytes), storage: "lfs" } }),
  );
  const address = `${server.endpoint}/org/model/resolve/${repo.commit}/model.safetensors`;
  const runs = {
    curl: [] as number[],
    curlAndSync: [] as number[],
    parley: [] as number[],
    parleyTransfer: [] as number[],
  };
  try {
    for (let pair = 0; pair < pairs; pair += 1) {
      await withHome(async (home) => {
        const target = path.join(home, "curl.out");
        await warmMemory();
        let startedAt = performance.now();
        runs.curl.push(await rateOf(() => runCurl(address, target)));
        // what curl leaves to the disk is not parley's to wait for
        await execute("sync", [target]);
        runs.curlAndSync.push(bytes / 1000 / (performance.now() - startedAt));
        await rm(target);
        await warmMemory();
        runs.parley.push(
          await rateOf(async () => {
            const { started, ended } = startChildDownload(server, home, repo.name);
            await started;
            startedAt = performance.now();
            await ended;
          }),
        );
        runs.parleyTransfer.push(bytes / 1000 / (performance.now() - startedAt));
      });
    }
  } finally {
    await server.stop();
  }
  return {
    bytes,
    ...runs,
    ratio: medianRatio(runs.parley, runs.curl),
    ratioToSynced: medianRatio(runs.parley, runs.curlAndSync),
  };
}

function medianRatio(ours: readonly number[], theirs: readonly number[]): number {
  const ratios = ours.map((rate, index) => rate / (theirs[index] ?? NaN)).sort((a, b) => a - b);
  return ratios[Math.floor(ratios.length / 2)] ?? 0;
}

async function rateOf(run: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await run();
  return bytes / 1000 / (performance.now() - startedAt);
}

async function runCurl(address: string, target: string): Promise<void> {
  const child = spawn("curl", ["--silent", "--fail", "--location", "--output", target, address]);
  const [code] = (await once(child, "exit")) as [number | null];
  if (code !== 0) throw new Error(`curl ended with ${code}`);
}

/**
 * Takes more memory than the file needs, and lets go of it. A virtual machine hands free memory back to its host after
 * some seconds; fetching it again costs more than everything else that a download does, and would decide at random.
 */
async function warmMemory(): Promise<void> {
  await execute(process.execPath, ["-e", `Buffer.alloc(${2 * bytes}).fill(1)`]);
}
