"""Comparisons of A/B tests as lines and words."""

import re
from typing import Any

import pytest

from services.gateway.domain.dashboard.experiments import EDGE, WIDTH, compared
from shared.experiments.config import ExperimentConfig, OperationFilter, Variant
from shared.experiments.metrics import MetricConfig
from tests.unit.gateway.dashboard.forms import page

FOUND: dict[str, Any] = {
    "metric": "accurate",
    "unit": "accurate",
    "role": "primary",
    "method": "always_valid",
    "units": 500,
    "operations": 3000,
    "difference": 0.07,
    "low": 0.03,
    "high": 0.11,
    "relative": 0.08,
    "relative_low": 0.03,
    "relative_high": 0.13,
    "significant": True,
    "enough_data": True,
    "harmed": False,
    "non_inferior": None,
}


def test_a_difference_of_shares_is_told_in_points_and_as_a_share_of_the_control() -> None:
    shown = compared(FOUND)
    assert shown.effect.text == "+7.00 pp"
    assert shown.relative.text == "+8.0 %"
    assert "95 % interval +3.00 pp to +11.00 pp" in shown.effect.hint
    assert shown.decides == "significant"


def test_a_difference_that_is_rounded_away_has_no_direction() -> None:
    ends = {"difference": -1e-5, "low": -0.01, "high": 0.01, "relative": -1e-5}
    assert compared(FOUND | ends).effect.text == "0.00 pp"


@pytest.mark.parametrize("scale", [1, -1, 100])
def test_an_interval_lies_in_its_box_on_its_side_of_no_difference(scale: float) -> None:
    names = ("relative", "relative_low", "relative_high")
    drawn = compared(FOUND | {name: FOUND[name] * scale for name in names}).drawn
    for place in (drawn.at, drawn.low, drawn.high):
        assert EDGE <= place <= WIDTH - EDGE
        assert (place > drawn.zero) == (scale > 0)


def test_an_interval_around_no_difference_crosses_the_middle() -> None:
    drawn = compared(FOUND | {"relative_low": -0.05}).drawn
    assert drawn.low < drawn.zero < drawn.at < drawn.high


def test_what_cannot_be_computed_is_not_drawn() -> None:
    nothing = dict.fromkeys(("difference", "low", "high", "relative", "relative_low"))
    shown = compared(FOUND | nothing | {"relative_high": None, "significant": False})
    assert shown.drawn is None
    assert shown.effect.hint == "nothing observed"


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"role": "guardrail", "non_inferior": True, "significant": False}, "holds"),
        ({"role": "guardrail", "harmed": True, "non_inferior": True}, "surely worse"),
        ({"significant": False}, "not sure yet"),
        ({"significant": False, "enough_data": False}, "too little data"),
    ],
)
def test_what_a_comparison_decides(changes: dict[str, Any], word: str) -> None:
    assert compared(FOUND | changes).decides == word


def test_response_times_are_told_as_shares_of_the_control_not_as_logarithms() -> None:
    shown = compared(FOUND | {"metric": "response_time_ms", "unit": "ln", "difference": -0.9})
    assert shown.drawn.words.startswith("+8.0 %")
    assert shown.effect.text == "-0.9"


def test_every_member_of_a_test_has_a_field_and_a_place_for_what_is_wrong_with_it() -> None:
    """`filter.*` are its members; variants and metrics have rows."""
    text = page("experiment_new.html", metrics=[], roles=[])
    text = text[text.index("<main") : text.index('aria-label="How long it takes"')]
    named = set(re.findall(r' name="([\w.]+)"', text))
    lists = {"variants": Variant, "metrics": MetricConfig}
    wanted = set(ExperimentConfig.model_fields) - lists.keys() - {"filter"}
    wanted |= {f"filter.{name}" for name in OperationFilter.model_fields}
    for name, model in lists.items():
        assert text.count(f'data-row="{name}"') == 2
        wanted |= set(model.model_fields)
    assert named == wanted
    said = set(re.findall(r'data-said="([\w.]+)"', text))
    assert said >= (wanted | lists.keys()) - {"is_control", "relative"}


def test_no_two_places_for_what_is_wrong_have_one_id() -> None:
    body = page("experiment_new.html", metrics=[], roles=[])
    ids = re.findall(r' id="([^"]+)"', body)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'aria-describedby="([^"]+)"', body)) <= set(ids)
