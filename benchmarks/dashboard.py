"""The dashboard: first paint and weight of every page, and what 50 open pages cost the gateway.

Pages are painted by Chromium. Fifty of those would take both cores, so open pages are driven over
HTTP (`following.py`); `likeness.py` counts a few of them beside real ones.
"""

import asyncio
import time
from contextlib import suppress
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks import likeness
from benchmarks.fleet import Fleet, furnish, watched
from benchmarks.following import REFRESH_S, OpenPage, opened
from benchmarks.painting import Painted, missing, painted
from benchmarks.servers import Servers
from deploy.local.process import Child

TABLE_WIDTH = 130
LASTS_S, QUIET_S = 60.0, 30.0
FOLLOWS_WITHIN_S, LOADED_WITHIN_S = 60.0, 180.0
MODEL_PAGES = 14
OTHERS = {"/fleet": 24, "/alerts": 4, "/experiments": 4, "/live": 4}
# All fifty follow a stream, which is dearest: by default a tenant has 20, and who has none looks
# every 15 s. And a stream ends within what is measured, which by default it does every 15 minutes.
SETTINGS = {"ASSAY_GATEWAY_MOST_STREAMS_OF_TENANT": "100", "ASSAY_GATEWAY_STREAM_MOST_S": "60"}
COMPARED = ["/fleet", "/fleet/model-3", "/alerts", "/experiments", "/live"]
UNMEASURED = 4
"""Figures that need a browser: two paints, the weight, and how like one the driver is."""
COMPARED_SETTINGS = SETTINGS | {"ASSAY_GATEWAY_STREAM_MOST_S": "12"}


async def dashboard(target: Servers) -> dict[str, Any]:
    """All three; without a browser only what 50 pages cost, and it says so."""
    why_not, told = missing(), Console(stderr=True, width=TABLE_WIDTH)
    if why_not:
        told.print(f"no first paint, and driven pages are not compared: {why_not}")
    async with watched(target) as tenant:
        fleet = await tenant.gateway(**SETTINGS)
        await furnish(target, tenant.prefix, fleet)
        found = await _open(fleet)
        told.print(found)
        if why_not:
            return found | {"dashboard_unmeasured": UNMEASURED}
        pages = await asyncio.to_thread(painted, fleet.url, fleet.key)
        told.print(_table(pages))
        compared = await tenant.gateway(**COMPARED_SETTINGS)
        sides = await likeness.compared(compared, COMPARED)
    told.print(likeness.table(sides))
    found |= {"dashboard_driver_off": likeness.furthest(sides), "dashboard_unmeasured": 0}
    return found | _worst(pages)


def mix() -> list[str]:
    """Paths of open pages, as people have them: most look at the list of models."""
    models = [f"/fleet/model-{number}" for number in range(MODEL_PAGES)]
    return [*models, *(path for path, many in OTHERS.items() for _ in range(many))]


async def _open(fleet: Fleet) -> dict[str, Any]:
    quiet = await _cost(fleet.gateway, QUIET_S)
    pages = [OpenPage(fleet.url, fleet.key, path) for path in mix()]
    staying = [await opened(page, FOLLOWS_WITHIN_S) for page in pages]
    async with asyncio.timeout(LOADED_WITHIN_S):
        await asyncio.gather(*(page.is_loaded.wait() for page in pages))
    await asyncio.sleep(REFRESH_S)  # with the first refresh of each, which is part of its opening
    asked, refused = _sums(pages)
    busy = await _cost(fleet.gateway, LASTS_S)
    asked_by_now, refused_by_now = _sums(pages)
    for one in staying:
        if one.done():
            one.result()  # it has failed
        one.cancel()
    await asyncio.gather(*staying, return_exceptions=True)
    return {
        "dashboard_open_pages": len(pages),
        "dashboard_requests_s": (asked_by_now - asked) / LASTS_S,
        "dashboard_refused": refused_by_now - refused,
        "dashboard_quiet_percent": quiet,
        "dashboard_open_percent": busy - quiet,
    }


def _sums(pages: list[OpenPage]) -> tuple[int, int]:
    """Requests by now, and those of them that were refused."""
    return sum(one.asked.total() for one in pages), sum(one.refused.total() for one in pages)


async def _cost(gateway: Child, seconds: float) -> float:
    """CPU of a process and its children, user and system, in percent of a core."""
    before, began = _cpu_s(gateway), time.perf_counter()
    await asyncio.sleep(seconds)
    return 100 * (_cpu_s(gateway) - before) / (time.perf_counter() - began)


def _cpu_s(gateway: Child) -> float:
    process = psutil.Process(gateway.pid)
    total = sum(process.cpu_times()[:4])
    for child in process.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            total += sum(child.cpu_times()[:2])
    return float(total)


def _worst(pages: dict[str, Painted]) -> dict[str, Any]:
    """Of all pages the largest median."""
    told = {path: one.told() for path, one in pages.items()}

    def most(of: str) -> float:
        return max(median for _, median, _ in (one[of] for one in told.values()))

    return {
        "dashboard_pages": told,
        "dashboard_paint_ms": most("cold_ms"),
        "dashboard_paint_warm_ms": most("warm_ms"),
        "dashboard_weight_kb": most("weight") / 1_000,
    }


def _table(pages: dict[str, Painted]) -> Table:
    out = Table("page", "first paint, empty cache (ms)", "full cache (ms)", "transferred (bytes)")
    for path, one in pages.items():
        out.add_row(path, *(_three(values) for values in one.told().values()))
    return out


def _three(values: list[float]) -> str:
    """Least, median, most."""
    return " / ".join(f"{value:,.0f}" for value in values)
