"""The demo, and a browser that is logged in; whatever a page complains of fails the test."""

import os
import shlex
import signal
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.browser.walking import chromium, log_in, settle
from tests.system.running import ASSAY, ROOT, Up, end, until

WANTED = "ASSAY_BROWSER"
collect_ignore_glob = [] if os.environ.get(WANTED) and find_spec("playwright") else ["test_*.py"]
SHOTS = ROOT / "build" / "browser"
PREDICTIONS = "3000"
MOST_START_S = 300


class Watched(NamedTuple):
    """A page of the browser, and what it complained of."""

    page: Any
    complaints: list[str]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """`assay demo`, once all its numbers are there; it stays until the end."""
    folder = tmp_path_factory.mktemp("demo")
    env_file, summary = folder / "env", folder / "summary.json"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ASSAY_")}
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen(
            [
                *(*ASSAY, "demo", "--predictions", PREDICTIONS, "--data-dir", str(folder / "data")),
                *("--env-file", str(env_file), "--summary", str(summary)),
            ],
            env=clean | {"PYTHONPATH": f"{ROOT}:{ROOT / 'sdk'}"},
            stdout=out,
            stderr=out,
        )
    try:
        until(lambda: summary.exists() or process.poll() is not None, "it is done", MOST_START_S)
    except BaseException:
        process.terminate()
        raise
    assert process.poll() is None, (folder / "out").read_text()
    pairs = (shlex.split(line)[1].partition("=") for line in env_file.read_text().splitlines())
    up = Up(process, {name: value for name, _, value in pairs}, folder)
    yield up
    assert end(up, signal.SIGTERM) == 0


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """The system's Chromium."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - not in every environment

    found = chromium()
    if found is None:
        pytest.fail("There is no Chromium: apt-get install chromium, or set CHROMIUM.")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="session", autouse=True)
def _first_pictures(browser: Any, demo: Up) -> None:
    """What README shows: the demo's own models and test, before ours come among them."""
    context = _context(browser, demo)
    page = context.new_page()
    log_in(page, demo.env["ASSAY_ADMIN_KEY"])
    settle(page)
    shot(page, "first-models")
    page.goto("/experiments")
    page.locator("main th a[href^='/experiments/']").first.click()
    settle(page)
    shot(page, "first-experiment")
    context.close()


@pytest.fixture
def watched(browser: Any, demo: Up) -> Iterator[Watched]:
    """A page that is logged in as an admin."""
    context = _context(browser, demo)
    page, complaints = context.new_page(), []
    page.on("console", lambda said: said.type == "error" and complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("response", lambda answer: _judge(answer, complaints))
    log_in(page, demo.env["ASSAY_ADMIN_KEY"])
    complaints.clear()  # before there is a session, /fleet answers 401
    yield Watched(page, complaints)
    assert complaints == []
    page.goto("about:blank")  # a context that is closed amid a navigation may wait for ever
    context.close()


def shot(page: Any, name: str) -> Path:
    """A picture of the whole page."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    path = SHOTS / f"{name}.png"
    page.screenshot(path=path, full_page=True)
    return path


def _context(browser: Any, demo: Up) -> Any:
    return browser.new_context(
        base_url=demo.env["ASSAY_GATEWAY_URL"], viewport={"width": 1280, "height": 900}
    )


def _judge(answer: Any, complaints: list[str]) -> None:
    if answer.status >= 400:
        complaints.append(f"{answer.status} {answer.url}")
