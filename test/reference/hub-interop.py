"""Checks that parley and Python's huggingface_hub and transformers read each other's downloads.

A local test hub serves a made-up repository and the bundled checkpoint. parley downloads into one cache, Python into
another; then each reads the other's, without a network. What was found goes into data/hub-interop.json, where
test/engine/hub/interop-layout.test.ts compares parley's cache with Python's, entry by entry.

Usage: python hub-interop.py   (needs `npm ci && npm run build` and requirements.txt)
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(__file__).resolve().parent / "data" / "hub-interop.json"
LAYOUT = "parley-test/layout"
CHECKPOINT = ROOT / "models" / "pocket-cwm"


class TestHub:
    """The TypeScript hub of test/engine/hub/server, compiled into a temporary folder and run by node."""

    def __init__(self, work: Path):
        out = work / "server"
        sources = [str(path) for path in (ROOT / "test/engine/hub/server").glob("*.ts")]
        options = "--module nodenext --target es2022 --skipLibCheck --types node".split()
        subprocess.run(["npx", "tsc", "--ignoreConfig", *options, "--outDir", str(out), *sources], cwd=ROOT, check=True)
        (out / "package.json").write_text('{"type":"module"}')
        self.log = open(work / "requests.txt", "w+")
        command = ["node", str(out / "serve.js"), str(CHECKPOINT)]
        self.process = subprocess.Popen(command, stdout=self.log)
        while "\n" not in (text := (work / "requests.txt").read_text()):
            pass
        self.endpoint = json.loads(text.splitlines()[0])["endpoint"]
        self.file = work / "requests.txt"

    def requests(self) -> list[str]:
        return self.file.read_text().splitlines()[1:]

    def stop(self):
        self.process.kill()
        self.process.wait()


def python(code: str, cache: Path, endpoint: str, offline: bool) -> object:
    """Runs Python in a process of its own, as huggingface_hub reads its environment once, and returns its JSON."""
    environment = {
        **os.environ,
        "HF_HOME": str(cache),
        "HF_ENDPOINT": endpoint,
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_UPDATE_CHECK": "1",
    }
    environment.pop("HF_TOKEN", None)
    if offline:
        environment["HF_HUB_OFFLINE"] = "1"
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    if run.returncode != 0:
        raise SystemExit(run.stderr)
    return json.loads(run.stdout.splitlines()[-1])


def parley(arguments: list[str], cache: Path, endpoint: str) -> dict:
    environment = {"PATH": os.environ["PATH"], "HOME": str(cache), "HF_HOME": str(cache), "HF_ENDPOINT": endpoint}
    command = ["node", str(ROOT / "bin/run.js"), "download", *arguments, "--json"]
    run = subprocess.run(command, env=environment, capture_output=True, text=True)
    if run.returncode != 0:
        raise SystemExit(run.stderr)
    return json.loads(run.stdout)


def layout(cache: Path) -> list[str]:
    """Every file and link of a cache, with what a link points to. Locks and listings are each tool's own affair."""
    folder = cache / "hub" / "models--parley-test--layout"
    entries = []
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder).as_posix()
        if relative.startswith("trees"):
            continue
        if path.is_symlink():
            entries.append(f"{relative} -> {os.readlink(path)}")
        elif path.is_file():
            entries.append(f"{relative} {hashlib.sha256(path.read_bytes()).hexdigest()[:16]}")
    return entries


READ_SNAPSHOT = f"""
import json, os
from huggingface_hub import hf_hub_download, scan_cache_dir, snapshot_download, try_to_load_from_cache
folder = snapshot_download({LAYOUT!r}, local_files_only=True)
names = sorted(os.path.relpath(os.path.join(top, name), folder) for top, _, files in os.walk(folder) for name in files)
single = [hf_hub_download({LAYOUT!r}, name, local_files_only=True) for name in names]
found = [try_to_load_from_cache({LAYOUT!r}, name) for name in names]
scan = scan_cache_dir()
print(json.dumps({{
    "files": names,
    "single": all(os.path.isfile(path) for path in single),
    "found": found == single,
    "warnings": [str(warning) for warning in scan.warnings],
    "revisions": sum(len(repo.revisions) for repo in scan.repos),
}}))
"""

LOAD_MODEL = """
import hashlib, json
import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
name = "parley-test/pocket-cwm"
AutoConfig.from_pretrained(name, local_files_only=True)
tokenizer = AutoTokenizer.from_pretrained(name, local_files_only=True)
model = AutoModelForCausalLM.from_pretrained(name, local_files_only=True, dtype=torch.float32)
state = {key: hashlib.sha256(value.numpy().tobytes()).hexdigest() for key, value in model.state_dict().items()}
weights = hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()
print(json.dumps({"class": type(model).__name__, "weights": weights, "tokens": tokenizer("def f(x):")["input_ids"]}))
"""

DOWNLOAD = """
import json
from huggingface_hub import snapshot_download
print(json.dumps([snapshot_download(name) for name in ("parley-test/layout", "parley-test/pocket-cwm")]))
"""

LOCAL_DIR = """
import json, sys
from huggingface_hub import snapshot_download
print(json.dumps(snapshot_download("parley-test/layout", local_dir={folder!r})))
"""


def main():
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        by_parley, by_python, local = work / "by-parley", work / "by-python", work / "local"
        hub = TestHub(work)
        try:
            everything = [LAYOUT, "--include", "*"]
            first = parley(everything, by_parley, hub.endpoint)
            parley(["parley-test/pocket-cwm"], by_parley, hub.endpoint)
            parley([*everything, "--local-dir", str(local)], by_parley, hub.endpoint)
            before = len(hub.requests())
            python(LOCAL_DIR.format(folder=str(local)), work / "third", hub.endpoint, offline=False)
            fetched = [line for line in hub.requests()[before:] if line.startswith("GET") and "/resolve/" in line]
            snapshots = python(DOWNLOAD, by_python, hub.endpoint, offline=False)
        finally:
            hub.stop()
        again = parley([*everything, "--offline"], by_python, hub.endpoint)
        result = {
            "versions": python(
                "import json, huggingface_hub as h, transformers as t; "
                "print(json.dumps({'huggingface_hub': h.__version__, 'transformers': t.__version__}))",
                by_python,
                hub.endpoint,
                offline=True,
            ),
            "python_reads_parley": python(READ_SNAPSHOT, by_parley, hub.endpoint, offline=True),
            "transformers_reads_parley": python(LOAD_MODEL, by_parley, hub.endpoint, offline=True)
            == python(LOAD_MODEL, by_python, hub.endpoint, offline=True),
            "files_python_fetched_again_into_parleys_local_dir": fetched,
            "parley_reads_python": {
                "same_folder": again["path"] == snapshots[0],
                "same_hashes": [file["sha256"] for file in again["files"]] == [file["sha256"] for file in first["files"]],
                "status": sorted({file["status"] for file in again["files"]}),
            },
            "layout": layout(by_python),
            "layouts_equal": layout(by_python) == layout(by_parley),
        }
    DATA.write_text(json.dumps(result, indent=2) + "\n")
    print(DATA.read_text())


if __name__ == "__main__":
    main()
