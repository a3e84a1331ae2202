"""Write data/traces.jsonl.gz: what Python did in 200 small programs, frame by frame (see trace_programs.py).

One JSON line per program: {"name", "source", "frames": [{"event", "line", "source", "locals" or "value", ...}]}.
Traces depend on Python's version (3.12 runs comprehensions inside their function); the stored ones are from 3.11.
"""

import gzip
import json
import os
import sys

from paths import DATA, ROOT
from trace_programs import programs

sys.path.insert(0, str(ROOT / "python"))
from trace_program import trace_source  # noqa: E402


def main() -> None:
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "PYTHONHASHSEED": "0"})
    lines = []
    frames_in_all = 0
    for name, source in programs():
        frames, end = trace_source(source, entry="main")
        frames_in_all += len(frames)
        lines.append(json.dumps({"name": name, "source": source, "end": end, "frames": frames}, separators=(",", ":")))
    path = DATA / "traces.jsonl.gz"
    path.write_bytes(gzip.compress(("\n".join(lines) + "\n").encode(), mtime=0))
    print(f"{len(lines)} programs, {frames_in_all} frames, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
