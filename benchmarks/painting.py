"""Pages in Chromium: when something is first seen, and how much is loaded for it."""

import statistics
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tests.browser.walking import chromium, log_in, settle, visited
from tests.system.running import until

RUNS = 3
FIRST_PAINT = """() => performance.getEntriesByType('paint')
  .filter(one => one.name === 'first-contentful-paint').map(one => one.startTime)"""
MODEL, LONGEST = "/fleet/{model_id:path}", "?window=24h"
"""The window whose charts have the most places."""
WIDE = {"width": 1280, "height": 900}


class Painted(NamedTuple):
    """One page: first contentful paint (ms) with an empty cache and a full one, and bytes that
    were transferred into the empty one, heads of answers included; of each run."""

    cold_ms: list[float]
    warm_ms: list[float]
    weight: list[int]

    def told(self) -> dict[str, list[float]]:
        """Least, median and most of each."""
        return {
            name: [min(all_), statistics.median(all_), max(all_)]
            for name, all_ in self._asdict().items()
        }


def missing() -> str | None:
    """Why there is no browser to measure with; `None` when there is one."""
    if find_spec("playwright") is None:
        return "Playwright is not installed (tests/browser/requirements.lock)"
    return None if chromium() else "there is no Chromium: apt-get install chromium, or set CHROMIUM"


@contextmanager
def browser() -> Iterator[Any]:
    """The system's Chromium, for as long as it is used; not within a running event loop."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - not in every environment

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield running
        running.close()


def logged_in(running: Any, url: str, key: str) -> Any:
    """What a browser keeps of a login."""
    context = running.new_context(base_url=url)
    log_in(context.new_page(), key)
    kept = context.storage_state()
    context.close()
    return kept


def painted(url: str, key: str) -> dict[str, Painted]:
    """Every page of the dashboard, by its route; `/` is the login."""
    with browser() as running:
        session = logged_in(running, url, key)
        context = running.new_context(base_url=url, storage_state=session)
        pages = visited(context.new_page())
        context.close()
        pages[MODEL + LONGEST] = pages[MODEL] + LONGEST
        found = {"/": _page(running, url, None, "/")}
        for route, path in pages.items():
            found[route] = _page(running, url, session, path)
    return found


def _page(running: Any, url: str, session: Any, path: str) -> Painted:
    found = Painted([], [], [])
    for _ in range(RUNS):
        context = running.new_context(base_url=url, storage_state=session, viewport=WIDE)
        page = context.new_page()
        weight = _weighed(context.new_cdp_session(page))
        found.cold_ms.append(_first_paint(page, path))
        settle(page)
        found.weight.append(sum(weight))
        found.warm_ms.append(_first_paint(page, path))
        context.close()
    return found


def _weighed(protocol: Any) -> list[int]:
    """Bytes of each answer from now on. A stream never ends, so it is no part of the weight."""
    found: list[int] = []
    protocol.on("Network.loadingFinished", lambda one: found.append(int(one["encodedDataLength"])))
    protocol.send("Network.enable")
    return found


def _first_paint(page: Any, path: str) -> float:
    page.goto(path)
    return float(until(lambda: page.evaluate(FIRST_PAINT), f"{path} is painted")[0])


def asked_by_browser(url: str, key: str, paths: list[str], seconds: float) -> list[Counter[str]]:
    """Requests of open pages, by path, each in a browser of its own; of so long after opening."""
    with browser() as running:
        session = logged_in(running, url, key)
        counts = []
        for path in paths:
            page = running.new_context(base_url=url, storage_state=session).new_page()
            counts.append(_counted(page, seconds))
            page.goto(path)
        page.wait_for_timeout(1_000 * seconds)
        return counts


def _counted(page: Any, seconds: float) -> Counter[str]:
    found: Counter[str] = Counter()
    until_then = time.perf_counter() + seconds

    def note(request: Any) -> None:
        if time.perf_counter() < until_then:
            found[urlsplit(request.url).path] += 1

    page.on("request", note)
    return found
