"""Every page: nothing fails, nothing is hard to use, and it fits a telephone."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Watched, shot
from tests.browser.walking import settle, visited
from tests.contract.test_openapi import hidden_routes
from tests.system.running import Up

WIDTHS = {"wide": 1280, "narrow": 400}
AXE = os.environ.get("ASSAY_AXE", "")
SERIOUS = {"serious", "critical"}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
FRAGMENTS = (
    "/charts",
    "/forecast",
    "/history",
    "/trial",
    "/preview",
    "/plan",
    "/trends",
    "/advice",
    "/check",
)
"""Parts of pages, which are loaded by them."""


def violations(page: Any) -> list[str]:
    """What axe-core calls serious."""
    page.evaluate(Path(AXE).read_text())
    found = page.evaluate(
        "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", RULES
    )["violations"]
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found if one["impact"] in SERIOUS
    ]


@pytest.fixture(scope="module")
def made(demo: Up) -> None:
    """What the demo does not leave behind: a rule, a queue, a silence."""
    rule = {"name": "Too many fail", "metric": "error_rate", "operator": ">", "warning": 0.05}
    queue = {"name": "A queue", "strategy": "random", "sample": 2}
    ends_at = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    quiet = {"matchers": {"model_id": "nobody"}, "ends_at": ends_at}
    bodies = {"/ai/alert-rules": rule, "/ai/review-queues": queue, "/ai/silences": quiet}
    for path, body in bodies.items():
        assert demo.request(path, body)[0] == 201, path


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_page(watched: Watched, demo: Up, width: str, theme: str) -> None:
    page = watched.page
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size({"width": WIDTHS[width], "height": 900})
    seen = visited(page)
    wanted = {one.path for one in hidden_routes() if one.openapi_extra.get("x-page")} - {"/"}
    assert {one for one in wanted - seen.keys() if not one.endswith(FRAGMENTS)} == set()
    found: list[str] = []
    for path in seen.values():
        page.goto(path)
        settle(page)
        shot(page, f"{width}-{theme}{path.replace('/', '-')[:40]}")
        across = page.evaluate("document.documentElement.scrollWidth")
        if across > WIDTHS[width]:
            found.append(f"{path} is {across} wide")
        found += [f"{path}: {one}" for one in (violations(page) if AXE else ())]
        found += [f"{path}: {one}" for one in watched.complaints]
        watched.complaints.clear()
    assert found == []


@pytest.mark.skipif(not AXE, reason="axe-core could not be had from npm")
def test_what_is_hard_to_use_is_found(watched: Watched) -> None:
    """Else finding nothing would mean nothing."""
    page = watched.page
    assert violations(page) == []
    page.evaluate("document.querySelector('main').append(document.createElement('button'))")
    assert [one.partition(":")[0] for one in violations(page)] == ["button-name"]
