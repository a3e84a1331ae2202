import { type Frame, lineText, type Locals, UNCHANGED } from "./frame.js";

/** One level of the call stack as the trace shows it. */
export interface Scope {
  /** name of the function, "<module>" or what Python calls such a scope */
  readonly name: string;
  /** the line that runs next, as text */
  readonly source: string;
  /** ".." resolved as far as this scope was seen before */
  readonly locals: Locals;
  /** names whose value is new or another than before */
  readonly changed: ReadonlySet<string>;
  /** the exception that is passing through, until a line runs again */
  readonly exception?: string;
}

/** Where the program is after some frames. States are never changed, so going back is keeping them. */
export interface TraceState {
  /** outermost first; a scope that returns is still the last one until the next frame */
  readonly scopes: readonly Scope[];
  readonly returned?: string;
  /** the entry has returned; only the end of the trace may follow */
  readonly finished: boolean;
}

export const INITIAL_STATE: TraceState = { scopes: [], finished: false };

/** The state after one more frame. A frame of the wrong kind (a line outside any scope) opens a scope of its own. */
export function advance(state: TraceState, frame: Frame): TraceState {
  const scopes = state.returned === undefined ? state.scopes : state.scopes.slice(0, -1);
  const top = scopes.at(-1);
  switch (frame.event) {
    case "call": {
      const scope: Scope = {
        name: scopeName(frame.source, top !== undefined),
        source: frame.source,
        locals: frame.locals,
        changed: new Set(frame.locals.keys()),
      };
      return { scopes: [...scopes, scope], finished: false };
    }
    case "line": {
      const before = top?.locals ?? new Map<string, string>();
      const locals = new Map(
        Array.from(frame.locals, ([name, value]) => [
          name,
          value === UNCHANGED ? (before.get(name) ?? UNCHANGED) : value,
        ]),
      );
      const changed = new Set([...locals.keys()].filter((name) => locals.get(name) !== before.get(name)));
      const scope: Scope = { name: top?.name ?? "?", source: frame.source, locals, changed };
      return { scopes: [...scopes.slice(0, -1), scope], finished: false };
    }
    case "exception": {
      const scope: Scope = {
        ...(top ?? { name: "?", locals: new Map() }),
        source: frame.source,
        changed: new Set(),
        exception: frame.value,
      };
      return { scopes: [...scopes.slice(0, -1), scope], finished: false };
    }
    case "return": {
      const scope: Scope = {
        ...(top ?? { name: "?", locals: new Map() }),
        source: frame.source,
        changed: new Set(),
      };
      return {
        scopes: [...scopes.slice(0, -1), scope],
        returned: frame.value,
        finished: scopes.length <= 1,
      };
    }
  }
}

/** The name of a scope, from the line it begins with. */
function scopeName(source: string, isInner: boolean): string {
  const text = lineText(source);
  const definition = /^\s*(?:async\s+)?(?:def|class)\s+([^\s(:]+)/.exec(text);
  if (definition?.[1] !== undefined) return definition[1];
  if (/\blambda\b/.test(text)) return "<lambda>";
  if (/\bfor\b.*\bin\b/.test(text)) return "<comprehension>";
  return isInner ? "<resumed>" : "<module>";
}
