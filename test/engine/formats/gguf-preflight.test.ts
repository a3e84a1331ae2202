import { describe, expect, it } from "vitest";
import { readGguf } from "../../../src/engine/formats/gguf-reader.js";
import { ggufBytes, pair, runnableGguf, T, type Pair } from "./fixtures/gguf-bytes.js";
import { expectRefusal, type ExpectedRefusal } from "./fixtures/refusal.js";
import { scratchFolder } from "./fixtures/scratch.js";

const scratch = scratchFolder();
const read = (bytes: Uint8Array, purpose: "inspect" | "run") =>
  readGguf(scratch.write("model.gguf", bytes), { purpose });

/** The runnable file with one pair replaced, or left out. */
const with1 = (key: string, write?: Pair) => runnableGguf({ without: [key], pairs: write ? [write] : [] });
const u32 = (key: string, value: number) => with1(key, pair.uint32(key, value));

type Case = [id: string, bytes: Uint8Array, expected: ExpectedRefusal];

/** Each file is well-formed: it can be inspected, and only running it is refused. */
function refusesToRun(cases: readonly Case[]): void {
  it.each(cases)("%s", async (_id, bytes, expected) => {
    await read(bytes, "inspect");
    await expectRefusal(() => read(bytes, "run"), expected);
  });
}

it("accepts the file that the other tests spoil", async () => {
  const { metadata, tensors } = await read(runnableGguf(), "run");
  expect(metadata.size).toBe(15);
  expect(tensors).toHaveLength(1);
});

describe("architecture and hyperparameters", () => {
  const architecture = { code: "GGUF_ARCHITECTURE" };
  const hparam = { code: "GGUF_HPARAM" };
  refusesToRun([
    [
      "GG33 no architecture",
      with1("general.architecture"),
      { ...architecture, message: /general\.architecture is missing/ },
    ],
    ["GG33 no string", u32("general.architecture", 1), { ...architecture, message: /of type uint32/ }],
    [
      "GG33 an array",
      with1("general.architecture", pair.strings("general.architecture", ["cwm"])),
      architecture,
    ],
    [
      "GG34 a wrong type",
      with1("cwm.block_count", pair.int32("cwm.block_count", 2)),
      { ...hparam, message: /"cwm\.block_count" is of type int32, expected a uint32/ },
    ],
    [
      "GG35 no layers",
      u32("cwm.block_count", 0),
      { ...hparam, message: /"cwm\.block_count" is 0, expected 1 to 512/ },
    ],
    ["GG35 513 layers", u32("cwm.block_count", 513), hparam],
    ["GG35 2^32 - 1 layers", u32("cwm.block_count", 2 ** 32 - 1), hparam],
    ["GG35 no heads", u32("cwm.attention.head_count", 0), hparam],
    [
      "GG35 heads as a string",
      with1("cwm.attention.head_count", pair.string("cwm.attention.head_count", "4")),
      hparam,
    ],
    [
      "GG35 negative heads of a layer",
      with1("cwm.attention.head_count", pair.int32s("cwm.attention.head_count", [4, -4])),
      hparam,
    ],
    [
      "GG35 key heads that do not divide the heads",
      u32("cwm.attention.head_count_kv", 3),
      { ...hparam, message: /is 3, expected a divisor of the 4 heads/ },
    ],
    ["GG35 a context of 2^32 - 1", u32("cwm.context_length", 2 ** 32 - 1), hparam],
    ["GG35 an empty embedding", u32("cwm.embedding_length", 0), hparam],
    ["GG35 1,025 experts", runnableGguf({ pairs: [pair.uint32("cwm.expert_count", 1025)] }), hparam],
    [
      "GG35 more experts used than there are",
      runnableGguf({ pairs: [pair.uint32("cwm.expert_count", 4), pair.uint32("cwm.expert_used_count", 5)] }),
      hparam,
    ],
    ["GG35 experts, and none used", runnableGguf({ pairs: [pair.uint32("cwm.expert_count", 4)] }), hparam],
    [
      "GG35 expert groups that do not divide",
      runnableGguf({
        pairs: [
          pair.uint32("cwm.expert_count", 4),
          pair.uint32("cwm.expert_used_count", 2),
          pair.uint32("cwm.expert_group_count", 3),
        ],
      }),
      hparam,
    ],
    [
      "GG35 expert groups, and none used",
      runnableGguf({
        pairs: [
          pair.uint32("cwm.expert_count", 4),
          pair.uint32("cwm.expert_used_count", 2),
          pair.uint32("cwm.expert_group_count", 2),
        ],
      }),
      hparam,
    ],
    [
      "GG35 more predicted layers than layers",
      runnableGguf({ pairs: [pair.uint32("cwm.nextn_predict_layers", 3)] }),
      hparam,
    ],
    [
      "GG35 an unknown scaling of RoPE",
      runnableGguf({ pairs: [pair.string("cwm.rope.scaling.type", "su")] }),
      { ...hparam, message: /"su", expected none, linear, yarn, longrope/ },
    ],
    [
      "GG35 more rotated dimensions than a head has",
      u32("cwm.rope.dimension_count", 10),
      { ...hparam, message: /is 10, expected an even number up to the head size 8/ },
    ],
    ["GG35 an odd number of rotated dimensions", u32("cwm.rope.dimension_count", 7), hparam],
    [
      "GG35 a negative epsilon",
      with1("cwm.attention.layer_norm_rms_epsilon", pair.float32("cwm.attention.layer_norm_rms_epsilon", -1)),
      hparam,
    ],
    [
      "GG35 an epsilon that is no number",
      with1(
        "cwm.attention.layer_norm_rms_epsilon",
        pair.float32("cwm.attention.layer_norm_rms_epsilon", NaN),
      ),
      hparam,
    ],
  ]);

  it("takes one value per layer where llama.cpp does", async () => {
    const heads = with1("cwm.attention.head_count_kv", pair.int32s("cwm.attention.head_count_kv", [2, 0]));
    await expect(read(heads, "run")).resolves.toBeDefined();
  });
});

describe("vocabulary", () => {
  const vocab = { code: "GGUF_VOCAB" };
  const TOKENS = "tokenizer.ggml.tokens";
  const tokens = (change: (all: string[]) => void) => {
    const all = Array.from({ length: 16 }, (_, i) => `token${i}`);
    change(all);
    return with1(TOKENS, pair.strings(TOKENS, all));
  };
  const set = (id: number, text: string) => tokens((all) => (all[id] = text));
  refusesToRun([
    [
      "GG36 no tokens",
      with1(TOKENS),
      { ...vocab, message: /"tokenizer\.ggml\.tokens" is missing, expected strings/ },
    ],
    ["GG36 no model", with1("tokenizer.ggml.model"), vocab],
    [
      "GG36 tokens that are numbers",
      with1(TOKENS, pair.int32s(TOKENS, [1, 2])),
      { ...vocab, message: /an array of int32/ },
    ],
    [
      "GG36 a token twice",
      set(9, "token3"),
      { ...vocab, message: /the text "token3" a second time, as token 9/ },
    ],
    [
      "GG36 a token like the name of an empty one",
      tokens((all) => {
        all[3] = "";
        all[9] = "[EMPTY_3]";
      }),
      vocab,
    ],
    [
      "GG36 tokens that differ after a NUL",
      tokens((all) => {
        all[3] = "a\0b";
        all[9] = "a\0c";
      }),
      { ...vocab, message: /NUL in token 3/ },
    ],
    [
      "GG36 fewer scores",
      with1("tokenizer.ggml.scores", pair.float32s("tokenizer.ggml.scores", [0])),
      { ...vocab, message: /1 elements for 16 tokens/ },
    ],
    [
      "GG36 scores that are strings",
      with1("tokenizer.ggml.scores", pair.strings("tokenizer.ggml.scores", ["0"])),
      vocab,
    ],
    [
      "GG36 more types",
      with1(
        "tokenizer.ggml.token_type",
        pair.int32s(
          "tokenizer.ggml.token_type",
          Array.from({ length: 17 }, () => 1),
        ),
      ),
      vocab,
    ],
    [
      "GG36 types that are uint32",
      with1(
        "tokenizer.ggml.token_type",
        pair.uint32s(
          "tokenizer.ggml.token_type",
          Array.from({ length: 16 }, () => 1),
        ),
      ),
      vocab,
    ],
    [
      "GG36 merges that are numbers",
      with1("tokenizer.ggml.merges", pair.int32s("tokenizer.ggml.merges", [1])),
      vocab,
    ],
    [
      "TK04 a first token beyond the vocabulary",
      u32("tokenizer.ggml.bos_token_id", 16),
      { ...vocab, message: /is 16; the vocabulary has 16 tokens/ },
    ],
    [
      "TK04 a last token that is no uint32",
      with1("tokenizer.ggml.eos_token_id", pair.int32("tokenizer.ggml.eos_token_id", 2)),
      vocab,
    ],
    [
      "TK04 a first token to add, and none named",
      runnableGguf({
        without: ["tokenizer.ggml.bos_token_id"],
        pairs: [pair.bool("tokenizer.ggml.add_bos_token", 1)],
      }),
      { ...vocab, message: /"tokenizer\.ggml\.bos_token_id" is missing/ },
    ],
    [
      "no vocabulary at all",
      with1("tokenizer.ggml.model", pair.string("tokenizer.ggml.model", "none")),
      { ...vocab, message: /"none": the file holds no vocabulary/ },
    ],
    [
      "TK07 a byte token that is no byte",
      runnableGguf({
        without: ["tokenizer.ggml.model", "tokenizer.ggml.token_type"],
        pairs: [
          pair.string("tokenizer.ggml.model", "llama"),
          pair.int32s(
            "tokenizer.ggml.token_type",
            Array.from({ length: 16 }, (_, i) => (i === 5 ? 6 : 1)),
          ),
        ],
      }),
      { ...vocab, message: /"token5" as byte token 5, expected <0x00> to <0xFF>/ },
    ],
    [
      "TK07 a SentencePiece vocabulary without bytes",
      with1("tokenizer.ggml.model", pair.string("tokenizer.ggml.model", "llama")),
      { ...vocab, message: /has no token for the byte <0x00>/ },
    ],
    [
      "GG37 a character map of a wrong type",
      runnableGguf({ pairs: [pair.string("tokenizer.ggml.precompiled_charsmap", "x")] }),
      vocab,
    ],
    [
      "GG37 a character map cut off",
      runnableGguf({
        pairs: [pair.bytes("tokenizer.ggml.precompiled_charsmap", Buffer.from([8, 0, 0, 0, 1, 1, 1, 1]))],
      }),
      { ...vocab, message: /truncated: a table of 8 bytes in 8/ },
    ],
    [
      "GG37 a character map of three bytes",
      runnableGguf({ pairs: [pair.bytes("tokenizer.ggml.precompiled_charsmap", Buffer.from([0, 0, 0]))] }),
      vocab,
    ],
  ]);

  it("files that say nothing of a vocabulary are accepted", async () => {
    await expect(
      read(ggufBytes({ pairs: [pair.string("general.architecture", "x")] }), "run"),
    ).resolves.toBeDefined();
  });
});

describe("tensors that nothing computes with", () => {
  const tensor = (dims: readonly number[], type: number, data: number) =>
    ggufBytes({
      pairs: [pair.string("general.architecture", "x")],
      tensors: [{ name: "w", dims, type }],
      data,
    });
  refusesToRun([
    [
      "GG19 no elements",
      tensor([4, 0], 0, 0),
      { code: "GGUF_DIMS", message: /"w": \[4, 0\] has no elements/ },
    ],
    ["float64", tensor([4, 4], 28, 128), { code: "GGUF_TENSOR_TYPE", message: /2-dimensional F64/ }],
    ["Q8_K", tensor([256, 1], 15, 292), { code: "GGUF_TENSOR_TYPE" }],
    ["a quantised vector", tensor([32], 8, 34), { code: "GGUF_TENSOR_TYPE", message: /1-dimensional Q8_0/ }],
  ]);

  it("GG39 what the metadata says is shown escaped in refusals", async () => {
    const name = "cwm\x1b]52;c;aGk=\x07";
    const bytes = ggufBytes({
      pairs: [
        pair.string("general.architecture", "a"),
        (f) => f.string("a.block_count").u32(T.string).string(name),
      ],
    });
    await expectRefusal(() => read(bytes, "run"), { code: "GGUF_HPARAM" });
    const scaling = ggufBytes({
      pairs: [pair.string("general.architecture", "a"), pair.string("a.rope.scaling.type", name)],
    });
    await expectRefusal(() => read(scaling, "run"), {
      code: "GGUF_HPARAM",
      message: /"cwm\\x1b\]52;c;aGk=\\x07"/,
    });
  });
});
