import type { Frame } from "./frame.js";
import { pythonJsonObject, pythonJsonString } from "./python-json.js";
import type { TraceMark, TraceTokens } from "./trace-tokens.js";

/** A stretch of a trace: one special token, or text in which no special token is looked for. */
export type TracePart = { readonly mark: TraceMark } | { readonly text: string };

/** How a trace begins: the program, with the mark of its entry in it. */
export function renderContext(context: string): TracePart[] {
  return [{ mark: "begin" }, { mark: "context" }, { text: context }, { mark: "frame" }];
}

/** A frame with its separator. Text is written as Python's json.dumps writes it. */
export function renderFrame(frame: Frame): TracePart[] {
  return [
    { mark: frame.event },
    ...("locals" in frame ? [{ text: pythonJsonObject(frame.locals) }] : []),
    { mark: "action" },
    ...(frame.source === "" ? [] : [{ text: frame.source }]),
    ...("value" in frame ? [{ mark: "arg" as const }, { text: pythonJsonString(frame.value) }] : []),
    { mark: "frame" },
  ];
}

/**
 * Token ids of parts of a trace.
 * @param tokenize must find no special token, whatever the text says
 */
export async function assembleTrace(
  parts: readonly TracePart[],
  tokens: TraceTokens,
  tokenize: (text: string) => Promise<readonly number[]>,
): Promise<number[]> {
  const ids = await Promise.all(
    parts.map((part) => ("mark" in part ? [tokens[part.mark]] : tokenize(part.text))),
  );
  return ids.flat();
}
