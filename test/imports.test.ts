import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { packageRoot } from "../src/engine/system/package-root.js";

/** Layers from the bottom up. A file may import from its own layer's folder and from layers further down. */
const LAYERS = [
  ["engine/errors.ts"],
  ["engine/system"],
  ["engine/tensors"],
  ["engine/formats"],
  ["engine/audio"],
  ["engine/families"],
  [
    "engine/chat",
    "engine/classify",
    "engine/convert",
    "engine/hub",
    "engine/build",
    "engine/trace",
    "engine/score",
    "engine/speech",
  ],
  ["engine/inspect"],
  ["engine/host"],
  ["engine/client"],
  ["engine/bench"],
  ["ui"],
  ["commands"],
  ["main.ts"],
];

/** Packages that only one folder may import. */
const ONLY_IN: Record<string, string> = {
  "@huggingface/hub": "engine/hub",
  "node-llama-cpp": "engine/host",
};

const source = path.join(packageRoot(), "src");
const files = readdirSync(source, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
  .map((entry) => path.relative(source, path.join(entry.parentPath, entry.name)));

function importsOf(file: string): { from: string; typeOnly: boolean }[] {
  const text = readFileSync(path.join(source, file), "utf8");
  const statements = text.matchAll(/^(?:import|export)\s+(type\s+)?(?:[^"';]*?\sfrom\s+)?"([^"]+)"/gms);
  const dynamic = text.matchAll(/\bimport\(\s*"([^"]+)"\s*\)/g);
  return [
    ...Array.from(statements, (match) => ({ from: match[2] ?? "", typeOnly: match[1] !== undefined })),
    ...Array.from(dynamic, (match) => ({ from: match[1] ?? "", typeOnly: false })),
  ];
}

function layerOf(file: string): number {
  return LAYERS.findIndex((layer) => layer.some((part) => file === part || file.startsWith(`${part}/`)));
}

function folderOf(file: string): string | undefined {
  return LAYERS.flat().find((part) => file === part || file.startsWith(`${part}/`));
}

describe("imports", () => {
  it("finds files and their imports", () => {
    expect(files.length).toBeGreaterThan(50);
    expect(importsOf("main.ts").map((found) => found.from)).toContain("@oclif/core");
  });

  it("belong to a layer", () => {
    expect(files.filter((file) => layerOf(file) < 0)).toEqual([]);
  });

  it("point down only", () => {
    const upward = files.flatMap((file) =>
      importsOf(file)
        .filter(({ from }) => from.startsWith("."))
        .map(({ from, typeOnly }) => ({
          target: path.join(path.dirname(file), from).replace(/\.js$/, ".ts"),
          typeOnly,
        }))
        .filter(({ target, typeOnly }) => {
          if (layerOf(target) > layerOf(file)) return true;
          // neighbours in one layer do not know each other's code, only its types
          return layerOf(target) === layerOf(file) && folderOf(target) !== folderOf(file) && !typeOnly;
        })
        .map(({ target }) => `${file} -> ${target}`),
    );
    expect(upward).toEqual([]);
  });

  it("of guarded packages stay where they belong", () => {
    const strays = files.flatMap((file) =>
      importsOf(file)
        .filter(({ from }) => ONLY_IN[from] !== undefined && !file.startsWith(ONLY_IN[from]))
        .map(({ from }) => `${file} -> ${from}`),
    );
    expect(strays).toEqual([]);
  });
});
