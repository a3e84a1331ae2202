"""Programs with what Python did in them, in the trace format of CWM."""

import ast
import json
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "python"))
from trace_program import trace_source  # noqa: E402

from classics import classic  # noqa: E402
from drills import drill  # noqa: E402
from programs import composed  # noqa: E402

MARK = "  # << START_OF_TRACE"
MAX_FRAMES = 32
CLASSIC_SHARE = 0.25
EVENTS = {event: "<|%s_sep|>" % event for event in ("call", "line", "return", "exception")}


def is_of_the_kind(text):
    """Is a repr() text made of integers from -99 to 199, short words and small lists?"""
    if text == "..":
        return True
    if len(text) > 48:
        return False
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text.startswith(("<function ", "ValueError(", "IndexError(", "ZeroDivisionError("))

    def check(value):
        if isinstance(value, bool) or value is None:
            return True
        if isinstance(value, int):
            return -99 <= value <= 199
        if isinstance(value, str):
            return len(value) <= 12
        if isinstance(value, (list, tuple)):
            return len(value) <= 5 and all(check(v) for v in value)
        return False

    return check(value)


def trace(source):
    """(text with the mark, frames) or None when the program is not of the kind."""
    entry = "main" if "def main(" in source else None
    try:
        frames, end = trace_source(source, entry=entry, max_frames=MAX_FRAMES)
    except Exception:
        return None
    if end not in ("returned", "raised") or not frames or source.count("\n") > 18:
        return None
    for frame in frames:
        texts = [frame["value"]] if "value" in frame else frame["locals"].values()
        if len(frame.get("locals", ())) > 6 or not all(map(is_of_the_kind, texts)):
            return None
    lines = source.split("\n")
    first = frames[0]["line"] - 1
    lines[first] += MARK
    return "\n".join(lines), frames


def shown_line(frame, marked_line):
    """The frame's source line as the model reads it: with the mark, where it is the entry's."""
    source = frame["source"]
    return source.rstrip("\n") + MARK + "\n" if frame["line"] == marked_line else source


def frame_text(frame, marked_line):
    """One frame, special tokens as their strings."""
    source = shown_line(frame, marked_line)
    if "value" in frame:
        return "%s<|action_sep|>%s<|arg_sep|>%s<|frame_sep|>" % (EVENTS[frame["event"]], source, json.dumps(frame["value"]))
    return "%s%s<|action_sep|>%s<|frame_sep|>" % (EVENTS[frame["event"]], json.dumps(frame["locals"]), source)


def document(context, frames):
    """(prompt, continuation) as text; the continuation ends with <|end_of_text|>."""
    marked_line = frames[0]["line"]
    return (
        "<|begin_of_text|><|trace_context_start|>%s<|frame_sep|>" % context,
        "".join(frame_text(f, marked_line) for f in frames) + "<|end_of_text|>",
    )


def program(seed, drills=0.0):
    """Program number `seed`: (source, context, frames). Draws until one is of the kind.

    drills: share of very short programs
    """
    rng = random.Random(seed)
    while True:
        if drills and rng.random() < drills:
            source = drill(rng)
        else:
            source = classic(rng) if rng.random() < CLASSIC_SHARE else composed(rng)
        traced = trace(source)
        if traced:
            return source, *traced


if __name__ == "__main__":
    for seed in range(int(sys.argv[1]), int(sys.argv[2])):
        _, context, frames = program(seed)
        prompt, rest = document(context, frames)
        print(prompt, rest.replace("<|frame_sep|>", "<|frame_sep|>\n"), sep="")
