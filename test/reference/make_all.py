"""Make every small checkpoint and every stored number again: python test/reference/make_all.py

Scripts run in this order, because later ones read what earlier ones wrote. make_llama3.py downloads an npm package
of 17 MB; nothing else needs a network. The two checks against llama.cpp's own tools are not part of this: they need
a build of it, see README.md.
"""

import subprocess
import sys
import time
from pathlib import Path

from paths import DATA, FIXTURES, MODELS, REFERENCE

SCRIPTS = [
    "make_checkpoints.py",
    "make_forward.py",
    "make_sensitivity.py",
    "make_classification.py",
    "make_configs.py",
    "make_chat.py",
    "chat_templates.py",
    "make_token_vectors.py",
    "make_random_strings.py",
    "make_llama3.py",
    "make_csm_checkpoints.py",
    "make_csm_goldens.py",
    "make_csm_scores.py",
    "make_traces.py",
    "make_pocket_cwm.py",
    "make_pocket_csm.py",
]


def main() -> None:
    for script in SCRIPTS:
        start = time.monotonic()
        subprocess.run([sys.executable, REFERENCE / script], check=True)
        print(f"-- {script}: {time.monotonic() - start:.0f} s", flush=True)
    for folder in (FIXTURES, DATA, MODELS):
        print(f"{folder.relative_to(REFERENCE.parent.parent)}: {tree_bytes(folder) / 1e6:.1f} MB")


def tree_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
