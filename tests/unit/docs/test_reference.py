"""The pages that are made from OpenAPI and the schemas."""

from pathlib import Path

import pytest

from deploy import reference
from shared.topics import REGISTER


def test_the_pages_have_every_path_and_every_field() -> None:
    pages = {path.name: text for path, text in reference.files().items()}
    assert "| `POST /ai/operations/log` | operations:write |" in pages["http.md"]
    assert "| `GET /healthz` | none |" in pages["http.md"]
    assert "| `response_time_ms` | number, ≥ 0, ≤ 604800000 | yes |" in pages["events.md"]
    assert pages["events.md"].count("\n## ") == len(REGISTER)


def test_a_page_that_differs_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = tmp_path / "http.md"
    page.write_text("old")
    monkeypatch.setattr(reference, "files", lambda: {page: "new"})
    monkeypatch.setattr("sys.argv", ["reference", "--check"])
    with pytest.raises(SystemExit, match=r"http\.md: run python -m deploy\.reference"):
        reference.main()
    monkeypatch.setattr("sys.argv", ["reference"])
    reference.main()
    assert page.read_text() == "new"
