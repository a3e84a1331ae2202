/** A small program with its frames as marked text, for models that follow a script. */
export const SOURCE =
  "def g(x):\n    y = x + 1\n    return y\n\ndef main():\n    a = g(1)\n    b = g(a)\n    return b\n";

export const line = (locals: string, source: string) =>
  `<|line_sep|>${locals}<|action_sep|>${source}\n<|frame_sep|>`;

export const call = (locals: string, source: string) =>
  `<|call_sep|>${locals}<|action_sep|>${source}\n<|frame_sep|>`;

export const returns = (source: string, value: string) =>
  `<|return_sep|><|action_sep|>${source}\n<|arg_sep|>"${value}"<|frame_sep|>`;

/** What happens in SOURCE up to its second call of g. */
export const FIRST_FRAMES: readonly string[] = [
  call("{}", "def main():"),
  line("{}", "    a = g(1)"),
  call('{"x": "1"}', "def g(x):"),
  line('{"x": ".."}', "    y = x + 1"),
  line('{"x": "..", "y": "2"}', "    return y"),
  returns("    return y", "2"),
  line('{"a": "2"}', "    b = g(a)"),
];
