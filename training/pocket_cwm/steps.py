"""What a trace's lines read and what comes of them, as classes that hidden layers learn to tell while the model is trained.

A frame's next values take several steps: find the line's variables, find what each held last, compute one operation
after the other. The loss of the next token alone tells nothing of the steps between; these labels do.
"""

import ast
import re

LEAST, MOST = -99, 199
FALSE, TRUE, END = MOST - LEAST + 1, MOST - LEAST + 2, MOST - LEAST + 3
CLASSES = END + 1
"""A whole number each, False, True, and the end of a loop."""

OPERATIONS = (ast.BinOp, ast.Compare, ast.BoolOp, ast.Subscript, ast.Call)
FUNCTIONS = {"len": len, "sum": sum, "min": min, "max": max, "abs": abs}
NAME = re.compile(r"[A-Za-z_]\w*")
TARGET = re.compile(r"(?:\w+, )?(\w+) (?:[-+*%]|//)?= ")


def value_class(value):
    """None for what is neither a truth nor a whole number that has a class."""
    if isinstance(value, bool):
        return TRUE if value else FALSE
    return value - LEAST if isinstance(value, int) and LEAST <= value <= MOST else None


def read_value(text):
    """What a repr() text stands for; None for what no literal can say."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return None


def operations(text, values):
    """{offset in the line's text at which an operation ends: class of its value}; of two that end there, of the outer one."""
    line = text.split("  #")[0].strip()
    shift = len(text) - len(text.lstrip())
    if line.startswith("elif "):
        line, shift = line[2:], shift + 2
    try:
        tree = ast.parse(line + " pass" if line.endswith(":") else line)
    except SyntaxError:
        return {}
    found = {}
    for node in reversed(list(ast.walk(tree))):
        if isinstance(node, OPERATIONS):
            try:
                value = eval(compile(ast.Expression(node), "", "eval"), {"__builtins__": FUNCTIONS}, dict(values))
            except Exception:
                continue
            if value_class(value) is not None:
                found[shift + node.end_col_offset] = value_class(value)
    return found


def outcome(frame, following, known):
    """What a line does: its condition, the value it assigns or returns, a loop's next value. None where it is none of these."""
    text = frame["source"].strip()
    goes_in = following["event"] == "line" and following["line"] == frame["line"] + 1
    if following["event"] == "return":
        return value_class(read_value(following["value"])) if text.startswith("return ") else None
    if following["event"] != "line":
        return None
    if text.startswith(("if ", "elif ", "while ")):
        return TRUE if goes_in else FALSE
    target = re.match(r"for (\w+) in ", text) or TARGET.match(text)
    if text.startswith("for ") and not goes_in:
        return END
    if not target:
        return None
    value = following["locals"].get(target[1])
    return value_class(known.get(target[1]) if value == ".." else read_value(value or ""))


def steps(frames):
    """[({name: value}, outcome or None)] of the frames' source lines."""
    stack, found = [{}], []
    for frame, following in zip(frames, [*frames[1:], None]):
        if frame["event"] == "call":
            stack.append({})
        known = stack[-1]
        known.update({name: read_value(text) for name, text in frame.get("locals", {}).items() if text != ".."})
        is_line = frame["event"] == "line" and following is not None
        found.append((dict(known), outcome(frame, following, known) if is_line else None))
        if frame["event"] == "return":
            stack.pop()
    return found


def label(source, ends, values, result, read, results):
    """Sets the labels of a source line's tokens.

    ends: {offset in the line's text at which a token ends: that token's place}; read, results: lists of labels, -1 without
    """
    for match in NAME.finditer(source):
        value = value_class(values.get(match[0]))
        if value is not None and match.end() in ends:
            read[ends[match.end()]] = value
    for end, value in operations(source, values).items():
        if end in ends:
            results[ends[end]] = value
    if result is not None:
        results[ends[len(source)]] = result
