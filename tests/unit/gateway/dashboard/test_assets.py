"""Files of the dashboard: from nowhere else, as they were taken, and light."""

import re
from hashlib import sha256

from services.gateway.routes.dashboard.assets import FOLDER, read_assets
from services.gateway.routes.dashboard.showing import TEMPLATES
from tests.unit.gateway.hardness.asked import asking, gateway

MOST_BYTES = 300_000
OWN = {
    "app.css",
    "app.js",
    "charts.js",
    "forms.js",
    "live.js",
    "review.js",
    "theme.js",
    "icon.svg",
    "VENDORED.sha256",
}
ELSEWHERE = re.compile(r"(?:src|href|action|hx-\w+)=\"(?:https?:)?//")
MOST_LINES = 200


def test_what_others_wrote_is_as_it_was_taken() -> None:
    said = dict(
        reversed(one.split()) for one in (FOLDER / "VENDORED.sha256").read_text().splitlines()
    )
    assert {file.name for file in FOLDER.iterdir()} - OWN == said.keys()
    for name, digest in said.items():
        assert sha256((FOLDER / name).read_bytes()).hexdigest() == digest, name


def test_each_library_brings_its_licence() -> None:
    for library in {name.split(".")[0] for name in read_assets()} & {"htmx", "uPlot"}:
        assert (FOLDER / f"{library}.LICENSE").is_file()


def test_all_files_together_are_light() -> None:
    assert sum(len(one.content) for one in read_assets().values()) < MOST_BYTES
    for name in OWN:
        if name.endswith(".js"):
            assert len((FOLDER / name).read_text().splitlines()) <= MOST_LINES, name


def test_no_page_loads_or_runs_what_its_policy_forbids() -> None:
    for file in TEMPLATES.iterdir():
        text = file.read_text()
        assert not ELSEWHERE.search(text), file.name
        assert " style=" not in text, file.name
        assert "<style" not in text, file.name
        assert not re.search(r"\son\w+=", text), file.name
        assert not re.search(r"<script(?![^>]*src=)", text), file.name
        assert "|safe" not in text.replace(" ", ""), file.name
        assert "autoescape" not in text, file.name


def test_no_layout_shows_what_is_hidden() -> None:
    """A class that says `display` is stronger than the browser's own rule for `hidden`."""
    hidden = re.compile(r"\[hidden\]\s*{\s*display:\s*none\s*!important;\s*}")
    assert hidden.search((FOLDER / "app.css").read_text())


async def test_a_file_is_remembered_for_ever_under_its_hash_only() -> None:
    async with asking(gateway()) as client:
        for name, asset in read_assets().items():
            answer = await client.get(asset.path)
            assert answer.content == asset.content
            assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
            assert answer.headers["content-type"] == asset.media_type
            other = await client.get(f"/assets/{'0' * 16}/{name}")
            assert other.status_code == 404
            assert other.headers["cache-control"] == "no-store"
        for path in ("/assets/x/VENDORED.sha256", "/assets/x/..%2fassets.py"):
            assert (await client.get(path)).status_code == 404
