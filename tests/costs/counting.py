"""Instructions of whole processes, as cachegrind counts them."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

BUDGETS = Path(__file__).with_name("budgets.json")
TOLERANCE = 1.1
"""What a library's next version may add; the counts of one build do not differ at all."""
_COUNT = re.compile(r"I +refs: +([\d,]+)")
# Hashes of texts decide how often tables collide; threads of numpy would be counted too.
STEADY = {"PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1"}


def watched(argv: list[str], logs: Path) -> list[str]:
    """A command under cachegrind, which writes a log of each process."""
    found = shutil.which("valgrind")
    if found is None:
        raise FileNotFoundError("no valgrind on PATH")
    options = ["--cache-sim=no", "--branch-sim=no", "--cachegrind-out-file=/dev/null"]
    return [found, "--tool=cachegrind", *options, f"--log-file={logs}/%p", *argv]


def executed(logs: Path, process: int) -> int:
    """How many instructions a process executed that has ended, its parent's before it included."""
    found = _COUNT.search((logs / str(process)).read_text())
    if found is None:
        raise ValueError(f"cachegrind's log of {process} says no count")
    return int(found[1].replace(",", ""))


def of_parts(logs: Path) -> dict[str, float]:
    """Instructions that one event, summary or look takes in each part of `tests.costs.work`."""
    argv = watched([sys.executable, "-m", "tests.costs.work"], logs)
    done = subprocess.run(  # what it says is in the error below
        argv, check=False, env={**os.environ, **STEADY}, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    found: dict[str, dict[int, int]] = {}
    for line in done.stdout.splitlines():
        process, part, times = line.split()
        found.setdefault(part, {})[int(times)] = executed(logs, int(process))
    return {part: (max(of.values()) - of[0]) / max(of) for part, of in found.items()}


def budget_of(part: str, build: str) -> float | None:
    """What a part may cost there; `None` where nobody has counted."""
    known: dict[str, dict[str, float]] = json.loads(BUDGETS.read_text())
    return known.get(build, {}).get(part)


def excess(part: str, ratio: float, budget: float) -> str:
    """What is wrong with a part's cost; empty if nothing is."""
    if ratio <= budget * TOLERANCE:
        return ""
    return (
        f"{part} costs {ratio:.3g} times its yardstick, where {budget:.3g} are meant: find what it"
        f" does more, or write the new figure into {BUDGETS.name} and say why"
    )
