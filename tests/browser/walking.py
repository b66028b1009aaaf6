"""A browser's way through the dashboard: which pages there are, and when one has settled."""

import os
import shutil
from typing import Any
from urllib.parse import unquote

from services.gateway.domain.dashboard.navigation import ENTRIES
from tests.contract.test_openapi import hidden_routes
from tests.system.running import until

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
SETTLED = """() => !document.querySelector('.htmx-request')
  && document.querySelectorAll('[data-chart] canvas').length
     >= document.querySelectorAll('[data-chart]').length"""
"""Nothing more is being loaded, and every chart is drawn."""


def chromium() -> str | None:
    """Where the system's Chromium is."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUMS)), None)


def log_in(page: Any, key: str) -> None:
    """As a person does it."""
    page.goto("/")
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/fleet")


def page_of(path: str) -> str | None:
    """By which route a path is answered."""
    routes = [one for one in hidden_routes() if one.openapi_extra.get("x-page")]
    bare = unquote(path.partition("?")[0])
    fitting = [one for one in routes if one.path_regex.fullmatch(bare)]
    return min(fitting, key=lambda one: one.path.count("{")).path if fitting else None


def visited(page: Any) -> dict[str, str]:
    """Of each page one address: all lists, and the first object of each kind they lead to."""
    found = {}
    for entry in ENTRIES:
        found[entry.path] = entry.path
        page.goto(entry.path)
        inner = page.locator("main a[href^='/']:not([download])").evaluate_all(
            "all => all.map(one => one.getAttribute('href'))"
        )
        for path in sorted(inner, key=lambda one: "browser-" in one):  # the demo's own first
            known = page_of(path)
            if known is not None:
                found.setdefault(known, path)
    return found


def settle(page: Any) -> None:
    """Asked from outside: the policy of pages forbids what Playwright would wait by."""
    page.wait_for_load_state("load")
    until(lambda: page.evaluate(SETTLED), f"{page.url} has settled")
