const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

/** json.dumps of a string: everything but printable ASCII is escaped. */
export function pythonJsonString(text: string): string {
  const body = text.replace(
    /[^ -~]|["\\]/g,
    (unit) => SHORT_ESCAPES[unit] ?? `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `"${body}"`;
}

/** json.dumps of an object of strings: `{"a": "1", "b": ".."}`. */
export function pythonJsonObject(entries: ReadonlyMap<string, string>): string {
  const members = Array.from(
    entries,
    ([key, value]) => `${pythonJsonString(key)}: ${pythonJsonString(value)}`,
  );
  return `{${members.join(", ")}}`;
}
