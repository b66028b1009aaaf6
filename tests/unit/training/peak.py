"""How much memory an export takes at most, asked in a process of its own.

`tracemalloc` counts what every thread allocates: beside the threads that a whole run of tests has
(readers of servers' output, for one) it would count those, and not the export.
"""

import asyncio
import json
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

from shared.training.export import Choice, export
from shared.training.report import Report
from shared.training.row import TrainingRow
from tests.unit.training.made import made, portions

ROOT = Path(__file__).parents[3]


def peaks(name: str, shape: str, *counts: int) -> list[int]:
    """Bytes at most, for each count of rows; imports and caches are not counted."""
    said = subprocess.run(
        [sys.executable, "-m", __name__, name, shape, *map(str, counts)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[int] = json.loads(said.stdout)
    return found


async def _peak(count: int, name: str, shape: str) -> int:
    def rows() -> Iterator[TrainingRow]:
        return (made(n, output="x" * 400) for n in range(count))

    tracemalloc.start()
    try:
        choice = Choice(shape=shape, format=name)  # type: ignore[arg-type]
        async for _ in export(portions(rows()), choice, Report()):
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


async def _all(name: str, shape: str, counts: list[int]) -> list[int]:
    await _peak(10, name, shape)
    return [await _peak(count, name, shape) for count in counts]


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_all(sys.argv[1], sys.argv[2], [int(n) for n in sys.argv[3:]]))))
