"""The Helm chart: rendered by helm where there is one, and as it was rendered last.

`python -m tests.support.chart` renders it anew, which needs helm. So the tests read real manifests
also on machines without it, and notice when the chart has changed since.
"""

import json
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

from tests.support.image import ROOT

CHART = ROOT / "deploy" / "helm" / "assay"
VALUES = {path.stem: path for path in sorted((ROOT / "deploy" / "helm" / "values").glob("*.yaml"))}
RENDERED = ROOT / "tests" / "unit" / "deploy" / "rendered"
KUBERNETES = "1.34.0"
Manifest = dict[str, Any]


def helm() -> str | None:
    """Beside our own tools, where `make lint-deploy` puts it, or anywhere on PATH."""
    return shutil.which("helm", path=str(Path(sys.executable).parent)) or shutil.which("helm")


def digest() -> str:
    """Of all that decides what comes out."""
    found = sha256()
    for path in sorted([*CHART.rglob("*"), *VALUES.values()]):
        if path.is_file():
            found.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


def run(program: str, *arguments: str | Path) -> str:
    """What helm prints; fails with what it says."""
    words = [program, *map(str, arguments), "--kube-version", KUBERNETES]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def render(program: str, values: Path, *more: str) -> list[Manifest]:
    """The chart's manifests with these values."""
    options = ("--namespace", "assay", "--values", values, *more)
    text = run(program, "template", "assay", CHART, *options)
    return [one for one in yaml.safe_load_all(text) if one]


def kept(name: str) -> tuple[str, list[Manifest]]:
    """The digest of the chart that was rendered last, and what came out."""
    first, *lines = (RENDERED / f"{name}.jsonl").read_text().splitlines()
    return json.loads(first)["chart"], [json.loads(line) for line in lines]


def main() -> None:
    """Lint the chart, render it with every file of values, and keep the outcome."""
    program = helm()
    if program is None:
        sys.exit("There is no helm; `make lint-deploy` says how to get one.")
    RENDERED.mkdir(exist_ok=True)
    for name, values in VALUES.items():
        run(program, "lint", "--strict", CHART, "--values", values)
        lines = [{"chart": digest()}, *render(program, values)]
        text = "\n".join(json.dumps(one, sort_keys=True, ensure_ascii=False) for one in lines)
        (RENDERED / f"{name}.jsonl").write_text(text + "\n")


if __name__ == "__main__":
    main()
