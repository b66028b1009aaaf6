"""`make bench`: measure, print a table with ratios, write benchmarks/results.json.

`ONLY=validity` plays the validity proofs instead, and ends with 1 if one does not hold;
`ONLY=sentiment` measures how well comments are read, `ONLY=overload` what becomes of a gateway that
is offered too much, and `ONLY=dashboard` how soon pages are seen and what open ones cost: they end
with 1 if a target is missed. So does `ONLY=soak`, which takes an hour. A part that fails is said to
have failed, costs the others nothing, and ends it with 1.
"""

import argparse
import asyncio
import json
import os
import platform
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.abtest import abtest
from benchmarks.alerts import alerts
from benchmarks.codec import codec
from benchmarks.consuming import consuming
from benchmarks.dashboard import dashboard
from benchmarks.exporting import exporting
from benchmarks.feedback import feedback
from benchmarks.overload import overload
from benchmarks.posting import posting
from benchmarks.raising import raising
from benchmarks.results import results_of_many
from benchmarks.sdk import client
from benchmarks.sentiment import sentiment
from benchmarks.servers import servers
from benchmarks.serving import serving
from benchmarks.statuses import statuses
from benchmarks.streaming import streaming
from benchmarks.targets import is_missed, table
from benchmarks.tracing import tracing
from benchmarks.validity import validity
from benchmarks.whole import idle, soak, whole
from tests.support import promises

PARTS = {
    "codec": codec,
    "consuming": consuming,
    "streaming": streaming,
    "serving": serving,
    "posting": posting,
    "tracing": tracing,
    "whole": whole,
    "idle": idle,
    "sdk": client,
    "alerts": alerts,
    "statuses": statuses,
    "raising": raising,
    "abtest": abtest,
    "feedback": feedback,
    "results": results_of_many,
    "export": exporting,
    "overload": overload,
    "dashboard": dashboard,
    "soak": soak,
}
BY_NAME_ONLY = {"soak"}
"""An hour long."""
PACKAGES = ("faststream", "aiokafka", "pydantic", "asyncpg", "redis", "fastapi", "uvicorn", "scipy")
RESULTS = Path(__file__).with_name("results.json")


async def measure(names: list[str]) -> dict[str, Any]:
    """Run the named parts on one set of servers."""
    results: dict[str, Any] = {}
    told = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="assay-bench-") as folder:
        Path(folder).chmod(0o755)
        async with servers(Path(folder)) as target:
            for name in names:
                told.print(f"measuring {name} …")
                try:
                    results |= await PARTS[name](target)
                except Exception as error:  # what was measured before must not be lost
                    told.print_exception(max_frames=5)
                    results.setdefault("failed", {})[name] = f"{type(error).__name__}: {error}"
                _keep(results)
    return results


def _keep(results: dict[str, Any]) -> None:
    machine = {
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "packages": {name: version(name) for name in PACKAGES},
    }
    RESULTS.write_text(json.dumps({"machine": machine, **results}, indent=1) + "\n")


def _validity() -> int:
    """Proofs of the statistics need no servers; figures are the same on every machine."""
    told = Console(stderr=True)
    found = validity(told=lambda name: told.print(f"played {name}"))
    Console().print(promises.table(found))
    missed = list(promises.broken(found))
    Console().print("\n".join(missed) or "All is as promised.")
    return int(bool(missed))


def main() -> None:
    """Parse, measure, tell."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--only", choices=[*PARTS, "validity", "sentiment"], action="append")
    names = parser.parse_args().only or [name for name in PARTS if name not in BY_NAME_ONLY]
    if names == ["validity"]:
        sys.exit(_validity())
    if names == ["sentiment"]:
        sys.exit(int(not sentiment(Console(width=110).print)))
    results = asyncio.run(measure(names))
    # Into a file no name is cut short.
    Console(width=None if sys.stdout.isatty() else 150).print(table(results))
    failed = results.get("failed", {})
    for name, why in failed.items():
        Console().print(f"{name} was not measured: {why}")
    is_strict = names in (["overload"], ["dashboard"], ["soak"])
    sys.exit(int(bool(failed) or (is_strict and is_missed(results))))


if __name__ == "__main__":
    main()
