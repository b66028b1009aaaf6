"""Plans: the numbers of the planner, in words that fit a request, and never a fake one."""

import math
from typing import Any

import pytest
from pydantic_core import from_json, to_json
from statsmodels.stats.power import TTestIndPower
from statsmodels.stats.proportion import samplesize_proportions_2indep_onetail

from services.gateway.domain.planning import PlanRequest, plan_view, question
from services.gateway.domain.problems import Problem
from shared.reckoning.__main__ import safely

RATE = {"metric": "success_rate", "baseline": 0.9, "min_effect": 0.02}
RATING = {"metric": "rating", "baseline": 4, "sd": 1.0, "min_effect": 0.1}
TIME = {"metric": "response_time_ms", "baseline": 800, "sd": 0.6, "min_effect": 40}


def planned(asked: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Through the same JSON as between the gateway and the process that reckons."""
    request = PlanRequest.model_validate(asked | more)
    found: dict[str, Any] = from_json(safely(to_json(question(request)).decode()))
    return plan_view(request, found)


def test_a_rate_is_planned_as_statsmodels_does() -> None:
    found = planned(RATE)
    theirs = samplesize_proportions_2indep_onetail(0.02, 0.9, 0.8, alpha=0.05)
    assert found["units_per_variant"] == math.ceil(theirs)
    assert found["units_total"] == 2 * found["units_per_variant"]
    assert (found["days"], found["detectable_effect_by_week"]) == (None, [])


def test_a_mean_is_planned_as_statsmodels_does() -> None:
    found = planned(RATING)
    assert found["units_per_variant"] == math.ceil(
        TTestIndPower().solve_power(0.1, None, 0.05, 0.8)
    )


def test_every_mode_is_told_and_looks_along_the_way_cost_units() -> None:
    found = planned(RATING, mode="hybrid")
    modes = {mode: one["units_per_variant"] for mode, one in found["by_mode"].items()}
    assert modes["fixed"] < modes["hybrid"] < modes["always_valid"]
    assert found["units_per_variant"] == modes["hybrid"]
    note = f"planned_units = {found['units_total']}"
    assert any(note in one for one in planned(RATING)["notes"])


def test_days_and_weeks_follow_from_the_units_that_come() -> None:
    found = planned(RATING, units_per_day=100)
    assert found["days"] == math.ceil(found["units_total"] / 100)
    weeks = found["detectable_effect_by_week"]
    assert [one["week"] for one in weeks] == list(range(1, math.ceil(found["days"] / 7) + 1))
    assert [one["units"] for one in weeks] == [700 * one["week"] for one in weeks]
    # The least effect that is found shrinks to the asked one as the planned units are reached.
    assert weeks[-2]["effect"] > 0.1 > weeks[-1]["effect"]
    assert weeks[0]["relative_effect"] == pytest.approx(weeks[0]["effect"] / 4)


def test_more_variants_share_alpha_and_the_units() -> None:
    two, four = planned(RATING, units_per_day=100), planned(RATING, variants=4, units_per_day=100)
    assert four["units_per_variant"] > two["units_per_variant"]
    assert four["units_total"] == 4 * four["units_per_variant"]
    assert four["days"] == math.ceil(four["units_total"] / 100)


def test_response_times_are_compared_as_logarithms_and_told_in_milliseconds() -> None:
    found = planned(TIME, units_per_day=500)
    assert found == planned(TIME, min_effect=0.05, relative=True, units_per_day=500)
    assert found["min_effect"] == pytest.approx(40)
    theirs = TTestIndPower().solve_power(math.log(1.05) / 0.6, None, 0.05, 0.8)
    assert found["units_per_variant"] == math.ceil(theirs)
    assert 40 < found["detectable_effect_by_week"][0]["effect"] < 60


def test_what_a_unit_spreads_replaces_one_operation_a_unit() -> None:
    assert planned(RATE, sd=0.2)["units_per_variant"] < planned(RATE)["units_per_variant"]


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (RATING | {"sd": 0}, "no variance"),
        (RATING | {"min_effect": 1e-9}, "more than 1,000,000,000 units"),
        (RATE | {"min_effect": 1e-7}, "more than 1,000,000,000 units"),
        (RATING | {"alpha": 1e-300, "mode": "always_valid"}, "nothing can be reckoned"),
        (
            {
                "metric": "tokens",
                "baseline": 10,
                "sd": 100,
                "min_effect": 0.1,
                "relative": True,
                "history_units": 100,
            },
            "not distinguishable from 0",
        ),
    ],
)
def test_what_nobody_can_plan_is_answered_with_the_reason(asked: dict[str, Any], why: str) -> None:
    found = planned(asked)
    assert why in found["refusal"]
    assert (found["units_per_variant"], found["units_total"], found["days"]) == (None, None, None)
    assert (found["detectable_effect_by_week"], found["notes"]) == ([], [])


@pytest.mark.parametrize(
    ("asked", "pointer", "why"),
    [
        ({"min_effect": 0.1}, "/metric", "is needed"),
        ({"metric": "rating", "sd": 1}, "/min_effect", "is needed"),
        ({"metric": "rating", "min_effect": 0.1}, "/sd", "standard deviation of rating"),
        (TIME | {"sd": None}, "/sd", "standard deviation of ln(ms)"),
        (RATE | {"baseline": None}, "/baseline", "is needed"),
        (RATE | {"baseline": 0}, "/baseline", "is 0"),
        (RATE | {"baseline": 1.5}, "/baseline", "lies between 0 and 1"),
        (RATE | {"min_effect": 0.2}, "/min_effect", "leads from 0.9 to 1.1"),
        (RATE | {"min_effect": 0.2, "relative": True}, "/min_effect", "leads from 0.9 to 1.08"),
        (
            RATE | {"metric": "share_slower_than_slo", "baseline": 0.1, "min_effect": 0.1},
            "/min_effect",
            "leads from 0.1 to 0,",
        ),
        (RATING | {"min_effect": 2}, "/min_effect", "leads from 4 to 6"),
        (TIME | {"min_effect": 900}, "/min_effect", "leads from 800 to -100"),
    ],
)
def test_what_is_missing_or_cannot_be_is_refused_by_name(
    asked: dict[str, Any], pointer: str, why: str
) -> None:
    given = {name: value for name, value in asked.items() if value is not None}
    with pytest.raises(Problem) as refused:
        question(PlanRequest.model_validate(given))
    assert refused.value.errors[0]["pointer"] == pointer
    assert why in refused.value.errors[0]["message"]


def test_a_worse_direction_may_be_asked_for() -> None:
    assert planned(RATE | {"min_effect": 0.2}, direction="decrease")["units_per_variant"] > 0
