"""Whether driven pages do as pages in Chromium do: their requests side by side, by path."""

import asyncio
from collections import Counter

from rich.table import Table

from benchmarks.fleet import Fleet
from benchmarks.following import OpenPage
from benchmarks.painting import asked_by_browser

SECONDS = 30.0
Sides = dict[str, tuple[Counter[str], Counter[str]]]
"""By page, what was asked for by Chromium and by a driven page."""


async def compared(fleet: Fleet, paths: list[str]) -> Sides:
    """Each page once in Chromium and once driven, at the same time, for SECONDS."""
    browsing = asyncio.to_thread(asked_by_browser, fleet.url, fleet.key, paths, SECONDS)
    driving = (_driven(OpenPage(fleet.url, fleet.key, path)) for path in paths)
    real, *driven = await asyncio.gather(browsing, *driving)
    return {path: (real[at], driven[at]) for at, path in enumerate(paths)}


async def _driven(page: OpenPage) -> Counter[str]:
    staying = asyncio.ensure_future(page.stay())
    await asyncio.wait({staying}, timeout=SECONDS)
    if staying.done():
        staying.result()  # it has failed
    staying.cancel()
    return page.asked


def furthest(sides: Sides) -> int:
    """The largest difference in how often one path was asked for."""
    return max(
        abs(real[path] - driven[path]) for real, driven in sides.values() for path in real | driven
    )


def table(sides: Sides) -> Table:
    """Both, to be read."""
    out = Table("page", "asks for", "Chromium", "driven")
    for page, (real, driven) in sides.items():
        for path in sorted(real | driven):
            out.add_row(page, path.removeprefix("/assets/"), str(real[path]), str(driven[path]))
    return out
