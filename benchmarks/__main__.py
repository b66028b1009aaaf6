"""`make bench`: measure, print a table with ratios, write benchmarks/results.json."""

import argparse
import asyncio
import json
import os
import platform
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.consuming import consuming, quix
from benchmarks.sdk import client
from benchmarks.servers import servers
from benchmarks.serving import serving
from benchmarks.whole import whole

PARTS = {
    "consuming": consuming,
    "quix": quix,
    "serving": serving,
    "whole": whole,
    "sdk": client,
}
RESULTS = Path(__file__).with_name("results.json")
# name, unit, target (at least, unless negative: at most), and what it is held against
ROWS: list[tuple[str, str, float | None, str | None]] = [
    ("faststream_raw", "events/s", None, None),
    ("metrics", "events/s", 50_000, "faststream_raw"),
    ("ingest", "events/s", 20_000, "copy_staging"),
    ("copy_staging", "rows/s", None, None),
    ("quix_at-least-once", "events/s", None, "metrics"),
    ("quix_exactly-once", "events/s", None, "metrics"),
    ("whole_rate", "events/s", 5_000 * 0.98, None),
    ("freshness_redis_p50_s", "s", None, None),
    ("freshness_redis_p99_s", "s", -2, None),
    ("freshness_postgres_p99_s", "s", -5, None),
    ("get_metrics", "requests/s", None, "bare_route"),
    ("bare_route", "requests/s", None, None),
    ("sdk_us_per_event", "µs", -30, None),
    ("metrics_rss_mb", "MB", -150, None),
    ("ingest_rss_mb", "MB", -150, None),
    ("gateway_rss_mb", "MB", -150, None),
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
    """What was measured, its target, and its ratio."""
    out = Table("what", "value", "unit", "target", "ratio")
    for name, unit, target, against in ROWS:
        if name not in results:
            continue
        value = results[name]
        verdict = "" if target is None else _verdict(value, target)
        ratio = ""
        if against and against in results:
            ratio = f"{value / results[against]:.2f} x {against}"
        out.add_row(name, f"{value:,.6g}", unit, verdict, ratio)
    return out


def _verdict(value: float, target: float) -> str:
    reached = value >= target if target > 0 else value <= -target
    sign = "≥" if target > 0 else "≤"
    return f"{'reached' if reached else 'MISSED'} {sign} {abs(target):,.6g}"


def main() -> None:
    """Parse, measure, tell."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--only", choices=list(PARTS), action="append")
    names = parser.parse_args().only or list(PARTS)
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
