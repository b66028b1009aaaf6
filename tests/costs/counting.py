"""Instructions of whole processes, as cachegrind counts them."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
BUDGETS = Path(__file__).with_name("budgets.json")
WITHIN_S = 500
TOLERANCE = 1.1
"""What a library's next version may add; the counts of one build do not differ at all."""
SAME_BUILD = 0.02
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
        argv,
        cwd=ROOT,
        timeout=WITHIN_S,
        check=False,
        env={**os.environ, **STEADY},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    found: dict[str, dict[int, int]] = {}
    for line in done.stdout.splitlines():
        process, part, times = line.split()
        found.setdefault(part, {})[int(times)] = executed(logs, int(process))
    return {part: (max(of.values()) - of[0]) / max(of) for part, of in found.items()}


def budget_of(part: str, kind: str, yardstick: float) -> float | None:
    """What a part may cost with this build, known by its yardstick; `None` if nobody has counted.

    Of compilers and their options the parts depend in other ways than their yardstick.
    """
    builds: list[dict[str, float]] = json.loads(BUDGETS.read_text())[kind]
    for build in builds:
        if abs(yardstick / build["yardstick"] - 1) < SAME_BUILD:
            return build[part]
    return None


def excess(part: str, ratio: float, budget: float) -> str:
    """What is wrong with a part's cost; empty if nothing is."""
    if ratio <= budget * TOLERANCE:
        return ""
    return (
        f"{part} costs {ratio:.3g} times its yardstick, where {budget:.3g} are meant: find what it"
        f" does more, or write the new figure into {BUDGETS.name} and say why"
    )
