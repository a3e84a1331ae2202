import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { git } from "./git.js";
import { patchesFolder, type TreeName } from "./upstream-pin.js";

/** Tag that marks the state before parley's patches. */
const BASE_TAG = "parley-base";

/** File inside .git that names the series a tree carries. */
const APPLIED = "parley-series";

/** Lines every patch's message must hold. */
const REQUIRED_LINES = ["Why:", "Upstream:", "Remove when:", "Test:"];

/** Flags that make an export depend on nothing but the commits. */
const FORMAT = [
  "--zero-commit",
  "--no-signature",
  "--no-stat",
  "--keep-subject",
  "--full-index",
  "-U3",
  "--no-renames",
];

/** Patch paths in the order of ggml-patches/series, as listed there ("llama.cpp/name.patch"). */
export async function readSeries(folder = patchesFolder()): Promise<string[]> {
  const text = await readFile(path.join(folder, "series"), "utf8");
  return text
    .split("\n")
    .map((line) => line.replace(/#.*/, "").trim())
    .filter((line) => line !== "");
}

/** The patches of one source tree, in order, as absolute paths. */
export async function patchesFor(tree: TreeName, folder = patchesFolder()): Promise<string[]> {
  return (await readSeries(folder))
    .filter((entry) => entry.startsWith(`${tree}/`))
    .map((entry) => path.join(folder, entry));
}

async function hashOfFiles(files: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const file of files)
    hash
      .update(`${path.basename(file)}\0`)
      .update(await readFile(file))
      .update("\0");
  return hash.digest("hex");
}

/**
 * Applies a tree's series on top of its base commit. A second call does nothing.
 * @param repository work tree whose HEAD is the base (or already carries this very series)
 * @param baseTree   git tree hash the base must have (upstream.json)
 * @throws Error when HEAD is another state than the base or this series
 */
export async function applySeries(
  repository: string,
  patches: readonly string[],
  baseTree: string,
  signal?: AbortSignal,
): Promise<"applied" | "unchanged"> {
  const series = await hashOfFiles(patches);
  const note = path.join(repository, ".git", APPLIED);
  const head = (await git(repository, ["rev-parse", "HEAD^{tree}"], signal)).trim();

  const [noted, notedTree] = (await readFile(note, "utf8").catch(() => "")).trim().split(" ");
  if (noted === series && notedTree === head) return "unchanged";

  if (head !== baseTree) {
    throw new Error(
      `${repository} is not the base these patches were made for: its tree is ${head}, upstream.json names ${baseTree}. ` +
        "Start from a fresh source tree, or move the pin as ggml-patches/README.md describes.",
    );
  }
  await git(repository, ["tag", "--force", BASE_TAG, "HEAD"], signal);
  if (patches.length > 0) {
    // an interrupted `git am` of an earlier run would refuse to begin
    await git(repository, ["am", "--abort"], signal).catch(() => undefined);
    await git(repository, ["am", "--keep", "--committer-date-is-author-date", "--quiet", ...patches], signal);
  }
  const tree = (await git(repository, ["rev-parse", "HEAD^{tree}"], signal)).trim();
  await writeFile(note, `${series} ${tree}\n`);
  return "applied";
}

/** The commits above the base as patch files: name (without number) -> content. */
export async function formatSeries(repository: string): Promise<Map<string, string>> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "parley-series-"));
  try {
    await git(repository, ["format-patch", "--quiet", ...FORMAT, "-o", folder, `${BASE_TAG}..HEAD`]);
    const patches = new Map<string, string>();
    for (const file of (await readdir(folder)).sort()) {
      patches.set(file.replace(/^\d+-/, ""), await readFile(path.join(folder, file), "utf8"));
    }
    return patches;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Writes the commits above the base back into ggml-patches/TREE and the series file. */
export async function exportSeries(
  repository: string,
  tree: TreeName,
  folder = patchesFolder(),
): Promise<string[]> {
  const patches = await formatSeries(repository);
  for (const old of await patchesFor(tree, folder)) await rm(old, { force: true });
  for (const [name, text] of patches) await writeFile(path.join(folder, tree, name), text);

  const others = (await readSeries(folder)).filter((entry) => !entry.startsWith(`${tree}/`));
  const entries = [...others, ...[...patches.keys()].map((name) => `${tree}/${name}`)];
  await writeFile(path.join(folder, "series"), entries.join("\n") + "\n");
  return [...patches.keys()];
}

/** What is wrong with the series as files: unlisted or missing patches, missing message lines, new files. */
export async function checkSeries(folder = patchesFolder()): Promise<string[]> {
  const problems: string[] = [];
  const listed = await readSeries(folder);
  for (const entry of new Set(listed)) {
    if (listed.filter((other) => other === entry).length > 1) problems.push(`${entry} is listed twice`);
    const text = await readFile(path.join(folder, entry), "utf8").catch(() => undefined);
    if (text === undefined) {
      problems.push(`${entry} is listed in series but does not exist`);
      continue;
    }
    const message = text.slice(0, text.indexOf("\ndiff --git "));
    for (const line of REQUIRED_LINES) {
      if (!message.includes(`\n${line} `)) problems.push(`${entry} has no "${line}" line`);
    }
    if (/^(new|deleted) file mode /m.test(text))
      problems.push(`${entry} creates or deletes a file; new files belong in sources/`);
  }
  for (const tree of ["node-llama-cpp", "llama.cpp"]) {
    for (const file of await readdir(path.join(folder, tree))) {
      if (!listed.includes(`${tree}/${file}`)) problems.push(`${tree}/${file} is not listed in series`);
    }
  }
  return problems;
}
