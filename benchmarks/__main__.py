"""`make bench`: measure, print a table with ratios, write benchmarks/results.json.

`ONLY=validity` plays the validity proofs instead, and ends with 1 if one does not hold;
`ONLY=sentiment` measures how well comments are read, and ends with 1 if a target is missed.
"""

import argparse
import asyncio
import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from benchmarks.abtest import abtest
from benchmarks.alerts import alerts
from benchmarks.consuming import consuming, quix
from benchmarks.exporting import exporting
from benchmarks.feedback import feedback
from benchmarks.raising import raising
from benchmarks.results import results_of_many
from benchmarks.sdk import client
from benchmarks.sentiment import sentiment
from benchmarks.servers import servers
from benchmarks.serving import serving
from benchmarks.statuses import statuses
from benchmarks.validity import validity
from benchmarks.whole import whole
from tests.support import promises

PARTS = {
    "consuming": consuming,
    "quix": quix,
    "serving": serving,
    "whole": whole,
    "sdk": client,
    "alerts": alerts,
    "statuses": statuses,
    "raising": raising,
    "abtest": abtest,
    "feedback": feedback,
    "results": results_of_many,
    "export": exporting,
}
RESULTS = Path(__file__).with_name("results.json")


class Row(NamedTuple):
    """A line of the table."""

    name: str
    unit: str
    least: float | None = None
    most: float | None = None
    against: str | None = None
    least_ratio: float | None = None
    is_either: bool = False
    """Whether one of `least` and `least_ratio` is enough."""


ROWS = [
    Row("faststream_raw", "events/s"),
    Row("metrics", "events/s", least=50_000, against="faststream_raw"),
    Row("metrics_poisoned", "events/s", against="metrics", least_ratio=0.8),
    Row("copy_staging", "rows/s"),
    Row("ingest", "events/s", least=20_000, against="copy_staging"),
    Row("ingest_poisoned", "events/s", against="ingest", least_ratio=0.8),
    Row("abtest_no_test", "events/s"),
    Row("abtest", "events/s", least=15_000),
    Row("abtest_many_units", "events/s"),
    Row("feedback", "events/s", least=5_000),
    Row("feedback_whole", "events/s"),
    Row("results_look_ms", "ms", most=1_000),
    Row("results_look_max_ms", "ms", most=1_000),
    Row("quix_at-least-once", "events/s", against="metrics"),
    Row("quix_exactly-once", "events/s", against="metrics"),
    Row("whole_rate", "events/s", least=5_000 * 0.98),
    Row("freshness_redis_p50_s", "s"),
    Row("freshness_redis_p99_s", "s", most=2),
    Row("freshness_postgres_p99_s", "s", most=5),
    Row("bare_route", "requests/s"),
    Row("get_metrics", "requests/s", against="bare_route", least_ratio=0.5),
    Row("sdk_us_per_event", "µs", most=30),
    Row("alert_look_ms", "ms", most=300),
    Row("status_look_ms", "ms"),
    Row("alert_raised_p50_s", "s"),
    Row("alert_raised_p99_s", "s", most=10),
    Row("status_read_p50_ms", "ms"),
    Row("status_read_p99_ms", "ms", most=5),
    Row("export_copy_rows_s", "rows/s"),
    Row("export_rows_s", "rows/s", against="export_copy_rows_s"),
    Row("export_copy_mb_s", "MB/s"),
    Row("export_mb_s", "MB/s", 50, against="export_copy_mb_s", least_ratio=0.3, is_either=True),
    Row("export_rss_growth_mb", "MB", most=50),
    Row("metrics_rss_mb", "MB", most=150),
    Row("ingest_rss_mb", "MB", most=150),
    Row("abtest_rss_mb", "MB", most=150),
    Row("feedback_rss_mb", "MB", most=150),
    Row("gateway_rss_mb", "MB", most=150),
]


async def measure(names: list[str]) -> dict[str, Any]:
    """Run the named parts on one set of servers."""
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="assay-bench-") as folder:
        Path(folder).chmod(0o755)
        async with servers(Path(folder)) as target:
            for name in names:
                Console(stderr=True).print(f"measuring {name} …")
                results |= await PARTS[name](target)
    return results


def table(results: dict[str, Any]) -> Table:
    """What was measured, its ratio, and whether that is what it should be."""
    out = Table("what", "value", "unit", "ratio", "target")
    for row in ROWS:
        if row.name not in results:
            continue
        value = results[row.name]
        ratio = value / results[row.against] if row.against in results else None
        out.add_row(
            row.name,
            f"{value:,.6g}",
            row.unit,
            "" if ratio is None else f"{ratio:.2f} x {row.against}",
            ", ".join(_verdicts(row, value, ratio)),
        )
    return out


def _verdicts(row: Row, value: float, ratio: float | None) -> Iterator[str]:
    if row.is_either and row.least is not None and row.least_ratio is not None:
        is_reached = value >= row.least or (ratio is not None and ratio >= row.least_ratio)
        yield f"{_reached(is_reached)} ≥ {row.least:,.6g} or {row.least_ratio} x"
        return
    if row.least is not None:
        yield f"{_reached(value >= row.least)} ≥ {row.least:,.6g}"
    if row.most is not None:
        yield f"{_reached(value <= row.most)} ≤ {row.most:,.6g}"
    if row.least_ratio is not None and ratio is not None:
        yield f"{_reached(ratio >= row.least_ratio)} ≥ {row.least_ratio} x"


def _reached(yes: bool) -> str:
    return "reached" if yes else "MISSED"


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
    names = parser.parse_args().only or list(PARTS)
    if names == ["validity"]:
        sys.exit(_validity())
    if names == ["sentiment"]:
        sys.exit(int(not sentiment(Console(width=110).print)))
    results = asyncio.run(measure(names))
    machine = {
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
    }
    RESULTS.write_text(json.dumps({"machine": machine, **results}, indent=1) + "\n")
    Console().print(table(results))


if __name__ == "__main__":
    main()
