"""The page of one model, as far as it says what is not known."""

import re
from datetime import UTC, datetime
from typing import Any

from services.gateway.domain.dashboard.model import Numbers, numbers
from services.gateway.routes.dashboard.assets import read_assets
from services.gateway.routes.dashboard.showing import Pages
from shared.measures.summary import summarise
from shared.views import MetricsView

NOON = datetime(2026, 1, 1, 12, 0, 30, tzinfo=UTC)


def found(**changes: Any) -> dict[str, Any]:
    """What is answered of a model of which nothing was seen, with changes."""
    silent = MetricsView(
        model_id="m",
        window="1h",
        window_start=NOON,
        status="unknown",
        reasons=[],
        **dict(summarise({}, 3600)),
    )
    return silent.model_dump(mode="json") | changes


def page(seen: dict[str, Any]) -> str:
    """Its page."""
    around = {"path": "/fleet/m", "query": {}, "entries": [], "may": set(), "tenant": "t"}
    status = {"status": "unknown", "since": None, "reasons": [], "stale": False}
    given = {"model_id": "m", "found": seen | {"as_of": NOON}, "windows": ["1h"], "sides": []}
    shown: Numbers = numbers(seen)
    content = given | {"status": status, "numbers": shown}
    return Pages(read_assets()).shown("model.html", around | {"now": NOON}, content).body.decode()


def test_without_operations_nobody_knows_whether_there_are_errors() -> None:
    assert "No error in this window" not in page(found())
    assert "No operation in this window" in page(found())
    assert "No error in this window" in page(found(sample=3))


def test_the_share_of_an_error_has_its_interval() -> None:
    error = {"type": "timeout", "count": 10, "share": 0.1}
    [(kind, many, shown)] = numbers(found(sample=100, errors=[error])).errors
    assert (kind, many, shown.text) == ("timeout", "10", "10.0 %")
    # Wilson's interval of 10 in 100.
    assert shown.hint == "95 % interval 5.5 % to 17.4 %, 100 operations in 1h"


def test_calibration_rests_on_operations_that_say_how_sure_they_are() -> None:
    said = {"mean": 0.5, "low": None, "high": None, "calibration_error": 0.1, "brier": 0.2}
    cards = dict(numbers(found(sample=9, confidence=said)).cards)
    for _, shown in cards["Confidence"]:
        assert shown.hint == "of those that say it among 9 operations in 1h"


def test_what_a_number_rests_on_is_reached_by_keyboard_and_every_id_is_there_once() -> None:
    text = page(found(sample=3, errors=[{"type": "a b", "count": 1, "share": 1 / 3}]))
    values = re.findall(r'<span class="value"[^>]*>', text)
    assert values
    assert all('tabindex="0"' in one and " id=" in one for one in values)
    ids = re.findall(r' id="([^"]*)"', text)
    assert len(ids) == len(set(ids))
    assert not [one for one in ids if " " in one]
    assert "error-a%20b" in ids
