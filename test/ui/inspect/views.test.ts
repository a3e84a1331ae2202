import { Chalk } from "chalk";
import { describe, expect, it } from "vitest";
import type { MemoryEstimate } from "../../../src/engine/inspect/memory.js";
import type { Overview } from "../../../src/engine/inspect/overview.js";
import { attentionStrip } from "../../../src/ui/inspect/attention-strip.js";
import { configDiffView, configView } from "../../../src/ui/inspect/config-view.js";
import { field, parameterCount, wrap } from "../../../src/ui/inspect/layout.js";
import { memoryView } from "../../../src/ui/inspect/memory-view.js";
import { overviewPage } from "../../../src/ui/inspect/overview-page.js";
import { tensorsView } from "../../../src/ui/inspect/tensors-view.js";

const plain = (columns: number) => ({ columns, colours: new Chalk({ level: 0 }) });
const hostile = "evil\u001b[2J\u202e\n";

const sizes = {
  layers: 3,
  hidden_size: 64,
  feed_forward: 128,
  heads: 4,
  key_value_heads: 2,
  head_dim: 16,
  value_dim: 16,
  context_length: 40_000,
};
const overview: Overview = {
  model: `org/${hostile}`,
  revision: null,
  name: hostile,
  format: "gguf",
  family: "cwm",
  family_title: "Code World Model",
  architecture: hostile,
  parameters: 1_234_567,
  bytes: 2_500_000,
  files: 2,
  tensors: 7,
  type: "q8_0",
  types: [{ type: "Q8_0", tensors: 5, parameters: 1_000_000, bytes: 2_000_000 }],
  sizes: { ...sizes, vocabulary: 500 },
  rope: { theta: 1e6, rotated: 8, scaling: hostile },
  attention: { window: 4096, layers: ["full", "sliding", "sliding"] },
  cache: [{ tokens: 8192, bytes: 1_000_000, bytes_without_window: 3_000_000 }],
  parts: [],
  tokenizer: { kind: hostile, split: null, bos: { id: 1, text: hostile }, end_ids: [2], pad_id: null },
  template: { bytes: 100, lines: 2, thinks: true, tools: false },
  licence: { id: hostile, name: null, link: hostile },
  generation: { temp: 0.5 },
  labels: [hostile],
  notes: [hostile],
};
const row = {
  context: 8192,
  weights: 2e6,
  repacked: 0,
  cache_full: 1e6,
  cache_sliding: 0,
  compute: 1e6,
  process: 1e8,
  total: 104e6,
  gpu: 0,
};
const memory: MemoryEstimate = { type: "q8_0", kv_type: "f16", swa_full: false, gpu_layers: 0, rows: [row] };

describe("the views of inspect", () => {
  it("let nothing harmful of a file through", () => {
    const entry = { key: hostile, value: hostile, origin: "file", meaning: hostile } as const;
    const tensor = { name: hostile, type: hostile, shape: [2, 3], file: "", offset: 0, bytes: 24 };
    const diff = {
      differences: [{ key: hostile, meaning: "", left: entry, right: entry }],
      equal: 0,
      unknown: 0,
    };
    const texts = [
      overviewPage(overview, memory, plain(100)),
      configView([entry], plain(100)),
      configDiffView(diff, [hostile, hostile], plain(100)),
      tensorsView([tensor], new Map([[hostile, null]]), plain(100)),
      memoryView(memory, plain(100)),
    ];
    for (const text of texts) expect(text).not.toMatch(/[\u001b\u202e]/);
    expect(texts[0]).toContain("evil\\x1b[2J\\u202e\\n");
  });

  it("fit into a narrow terminal", () => {
    const long = "a-name-that-goes-on/".repeat(5);
    const harmless = JSON.parse(
      JSON.stringify(overview).replaceAll(JSON.stringify(hostile).slice(1, -1), long),
    ) as Overview;
    const lines = overviewPage(harmless, memory, plain(60)).split("\n");
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(60);
  });

  it("colour only where colours are on", () => {
    const colourful = { columns: 80, colours: new Chalk({ level: 2 }) };
    expect(memoryView(memory, colourful)).toContain("\u001b[1m");
    expect(memoryView(memory, plain(80))).not.toContain("\u001b");
  });
});

describe("attentionStrip", () => {
  it("marks layers in rows of equal length", () => {
    const layers = Array.from({ length: 70 }, (_, i) =>
      i % 4 === 0 ? ("full" as const) : ("sliding" as const),
    );
    const [first, second, third, legend] = attentionStrip({ layers, window: 8192 }, 33).split("\n");
    expect(first).toBe("█░░░".repeat(8));
    expect(second).toBe(first);
    expect(third).toBe("█░░░█░");
    expect(legend).toBe("█ 18 full layers   ░ 52 sliding layers, 8,192 positions each");
  });

  it("says it in words where all layers are of one kind", () => {
    expect(attentionStrip({ layers: ["full"], window: null }, 80)).toBe(
      "1 full layer, every one sees the whole context",
    );
    expect(attentionStrip({ layers: ["sliding"], window: 5 }, 80)).toBe(
      "░\n░ 1 sliding layer, 5 positions each",
    );
  });
});

describe("layout", () => {
  it("wraps at spaces, and inside words that are too long", () => {
    expect(wrap("one two three", 8)).toEqual(["one two", "three"]);
    expect(wrap("abcdefghij", 4)).toEqual(["abcd", "efgh", "ij"]);
    for (const none of [0, -3]) expect(wrap("abc", none)).toEqual(["a", "b", "c"]);
    expect(field("label", "a\nb", plain(80))).toEqual(["  label        a", "               b"]);
  });

  it("counts parameters with three digits", () => {
    expect([999, 32_600_000_000, 705_664].map(parameterCount)).toEqual(["999", "32.6 B", "706 k"]);
  });
});
