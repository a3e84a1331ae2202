import { expect, it } from "vitest";
import { textBenchDocument, textBenchTable } from "../../src/ui/bench-report.js";

const always = (value: number) => ({ median: value, min: value, max: value });
const SUBJECT = {
  model: "/models/big\u001b[31m.gguf",
  family: "cwm",
  type: "q8_0",
  gpu: "cuda",
  threads: 16,
  rounds: 3,
  loadMs: 1234.5678,
};
const RUN = {
  prompt_tokens: 1,
  completion_tokens: 2000,
  first_token_ms: always(0.05),
  prompt_per_second: always(20),
  tokens_per_second: always(1234.5),
};
const MEMORY = { gigabytes_per_second: 12.345, machine_gigabytes_per_second: null, share: null };

it("a report of a GPU compares with nothing, and a file's name moves no cursor", () => {
  expect(textBenchTable(SUBJECT, [RUN], 1e10, MEMORY)).toBe(
    [
      "big\\x1b[31m.gguf, q8_0, CUDA, 16 threads, 3 rounds: medians, and from least to most",
      "load                    1,235  ms",
      "reading 1 token          20.0  tokens/s  20.0 to 20.0",
      "first token after them  0.050  ms        0.050 to 0.050",
      "writing 2,000 tokens    1,235  tokens/s  1,235 to 1,235",
      "weights                  10.0  GB        read for each token",
      "memory                   12.3  GB/s",
    ].join("\n"),
  );
  expect(textBenchDocument(SUBJECT, [RUN], 1e10, MEMORY)).toMatchObject({
    gpu: "cuda",
    usage: { prompt_tokens: 1, completion_tokens: 2000 },
    timings: { load_ms: 1234.568, tokens_per_second: 1234.5 },
    memory: { bytes_per_token: 1e10, share: null },
  });
});
