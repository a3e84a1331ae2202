import { expect, it } from "vitest";
import { parseRequestLine } from "../../src/ui/request-line.js";

it("takes numbers in the limits of the flags", () => {
  const line = {
    prompt: "hi",
    temp: 0,
    top_k: 5,
    top_p: 0.5,
    min_p: 1,
    repeat_penalty: 1.1,
    seed: 7,
    max_tokens: 0,
  };
  const { sampling, maxTokens, request } = parseRequestLine(JSON.stringify(line), 1);
  expect(sampling).toEqual({ temp: 0, topK: 5, topP: 0.5, minP: 1, repeatPenalty: 1.1, seed: 7 });
  expect(maxTokens).toBe(0);
  expect(request).toEqual({ kind: "messages", messages: [{ role: "user", content: "hi" }] });
});

it.each([
  ["temp", -1],
  ["temp", 1e9],
  ["top_k", -5],
  ["top_k", 1.5],
  ["top_p", 7],
  ["min_p", -0.1],
  ["repeat_penalty", 0],
  ["seed", -1],
  ["seed", 1e30],
  ["max_tokens", -3],
  ["max_tokens", 1.5],
])("refuses %s of %d", (key, value) => {
  const line = JSON.stringify({ prompt: "hi", [key]: value });
  expect(() => parseRequestLine(line, 3)).toThrow(`line 3 of standard input: "${key}" is no `);
});

it.each(['{"prompt":null}', '{"raw":null}', '{"prompt":""}', '{"raw":""}', '{"prompt_tokens":[]}'])(
  "refuses %s: there is nothing to answer",
  (line) => {
    expect(() => parseRequestLine(line, 1)).toThrow(
      /line 1 of standard input: "(prompt|raw|prompt_tokens)" is/,
    );
  },
);
