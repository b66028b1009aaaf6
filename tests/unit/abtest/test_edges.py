"""States that ask for numbers which do not exist."""

import math
from datetime import timedelta
from typing import Any

import pytest

from services.abtest.domain.gates import concentrated
from services.abtest.domain.memory import Memory
from services.abtest.domain.state import ArmState, TestState
from shared.experiments.moments import Moments, Unit, of_units
from shared.experiments.results import ResultsAnswer
from tests.support.abtests import NOON, arm, cost, epochs, look, mean, mixed, row, share, state
from tests.support.abtests import successes as of_rates
from tests.support.experiments import config, weighted

ALL = config(
    metrics=[
        {"name": "success_rate", "role": "primary"},
        {"name": "response_time_ms", "role": "guardrail"},
        {"name": "rating", "role": "guardrail", "margin": 0.0},
        {"name": "cost_usd", "role": "secondary"},
        {"name": "tokens", "role": "secondary", "direction": "increase"},
        {"name": "confidence", "role": "guardrail", "margin": 0.1},
    ]
)


def full(units: int, p: float = 0.9) -> ArmState:
    huge = Moments(units, units * 10**15, units * 10**30, units, units, units * 10**15)
    sketches = [{400: 5, 410: 3, 420: 2} for _ in range(20)]
    sums = {
        "success_rate": share(units, p),
        "response_time_ms": mean(units, math.log(500), 0.5),
        "rating": mean(units, 4.5, 0.5),
        "cost_usd": cost(units, 0.002),
        "tokens": huge,
        "confidence": mean(units, 0.8, 0.1),
    }
    return arm(units, sums, sketches=sketches)  # type: ignore[arg-type]


def checked(held: TestState) -> ResultsAnswer:
    """An answer that JSON can carry, twice over; intervals hold what they are around."""
    answer, memory = look(held)
    assert ResultsAnswer.model_validate_json(answer.model_dump_json()) == answer
    assert Memory.model_validate_json(memory.model_dump_json()) == memory
    again, _ = look(held, Memory.model_validate_json(memory.model_dump_json()))
    assert again.verdict in (answer.verdict, "KEEP_RUNNING", "INCONCLUSIVE")
    for one in answer.comparisons:
        if one.low is not None and one.high is not None and one.difference is not None:
            assert one.low <= one.difference <= one.high
        assert not (one.significant and not one.enough_data)
        assert one.decisive == (one.unmet is None)
    assert answer.recommendation.endswith((".", "?"))
    assert "nan" not in answer.recommendation.lower().replace("finance", "")
    assert "inf" not in answer.recommendation.lower()
    return answer


@pytest.mark.parametrize(
    "arms",
    [
        {},
        {"a": full(1)},
        {"b": full(1)},
        {"a": full(1), "b": full(1)},
        {"a": full(2), "b": full(1)},
        {"a": full(500), "b": arm(0)},
        {"a": full(500), "b": arm(500)},
        {"a": full(500, 1.0), "b": full(500, 1.0)},
        {"a": full(500, 0.0), "b": full(500, 0.0)},
        {"a": full(500, 1.0), "b": full(500, 0.0)},
        {"a": full(500), "b": full(500)},
    ],
    ids=["none", "one unit", "one unit of b", "one each", "two and one", "b empty",
         "b without outcomes", "all succeed", "none succeeds", "all and none", "all there"],
)  # fmt: skip
def test_whatever_is_missing_the_answer_is_whole(arms: dict[str, ArmState]) -> None:
    answer = checked(state(arms, ALL))
    assert {one.metric for one in answer.comparisons} >= {one.name for one in ALL.metrics}


def test_nobody_is_no_number() -> None:
    answer = checked(state({}))
    found = row(answer)
    assert (found.difference, found.low, found.p_value, found.se) == (None, None, None, None)
    assert answer.variants[0].metrics["success_rate"].value is None
    assert (answer.srm.p_value, answer.multiple_exposures.share) == (1, 0)


def test_one_unit_has_a_value_and_no_interval() -> None:
    found = checked(state({"a": full(1), "b": full(1)}, ALL)).variants[0].metrics
    assert found["response_time_ms"].value == pytest.approx(500, rel=1e-5)
    assert (found["response_time_ms"].low, found["rating"].high) == (None, None)


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_both_at_the_same_end_claim_nothing(p: float) -> None:
    """Newcombe's interval is shown; p is 1."""
    found = row(checked(of_rates((500, p), (600, p))))
    assert (found.method, found.p_value, found.difference) == ("newcombe", 1, 0)
    assert found.low is not None
    assert found.high is not None
    assert -0.01 < found.low < 0 < found.high < 0.01


def test_without_variance_nothing_is_tested() -> None:
    rated = config(metrics=[{"name": "rating", "role": "primary"}])
    arms = {key: arm(500, {"rating": mean(500, at, 0)}) for key, at in (("a", 4), ("b", 5))}
    found = row(checked(state(arms, rated)), "rating")
    assert (found.difference, found.low, found.p_value, found.decisive) == (1, None, 1, False)
    assert found.unmet == "cannot test: no variance in either arm"


def test_all_feedback_is_missing() -> None:
    rated = config(metrics=[{"name": "rating", "role": "primary"}])
    answer = checked(state({"a": arm(500), "b": arm(500)}, rated))
    assert answer.verdict == "COLLECTING"
    assert "with a rating" in answer.recommendation


@pytest.mark.parametrize(("heavy", "is_too_much"), [(126, True), (110, False)])
def test_a_fifth_of_what_a_ratio_divides_by(heavy: int, is_too_much: bool) -> None:
    """126 of 626 operations, and 110 of 610."""
    sums = of_units([Unit(0, heavy), *(Unit(1, 1) for _ in range(500))])
    held = state({key: arm(501, {"success_rate": sums}) for key in "ab"})
    assert (concentrated(held, "success_rate", "b") is not None) == is_too_much
    assert concentrated(held, "rating", "b") is None


def test_one_user_with_nine_tenths_of_the_operations_decides_nothing() -> None:
    def one(good: bool) -> Moments:
        heavy = Unit(9 * 500 * good, 9 * 500)
        return of_units([heavy, *(Unit(i % 10 != 0, 1) for i in range(500))])

    arms = {key: arm(501, {"success_rate": one(good)}) for key, good in (("a", True), ("b", False))}
    answer = checked(state(arms))
    assert answer.verdict == "KEEP_RUNNING"
    assert not row(answer).decisive
    assert not row(answer).significant
    assert "a few users of a weigh as if only 1 took part" in answer.recommendation
    assert any("dominated by a few users" in said for said in answer.warnings)


@pytest.mark.parametrize("sign", [1, -1])
def test_huge_and_negative_numbers_are_numbers(sign: int) -> None:
    tokens = config(metrics=[{"name": "tokens", "role": "primary"}])
    arms = {}
    for key, value in (("a", 10**18), ("b", 10**18 + 10**16)):
        m, n = sign * value, 1_000
        sums = Moments(n, n * m, n * m * m + n * 10**32, n, n, n * m)
        arms[key] = arm(n, {"tokens": sums})
    found = row(checked(state(arms, tokens)), "tokens")
    assert found.difference == pytest.approx(sign * 1e16)
    assert (found.relative is None) == (sign < 0)


def test_ten_variants() -> None:
    keys = "abcdefghij"
    many = config(variants=weighted(**dict.fromkeys(keys, 0.1)))
    arms = {
        key: arm(1_000, {"success_rate": share(1_000, 0.97 if key == "j" else 0.8)}) for key in keys
    }
    answer = checked(state(arms, many))
    assert (answer.verdict, answer.winner, len(answer.comparisons)) == ("SHIP", "j", 9)


def test_units_in_a_variant_without_weight_are_broken_data() -> None:
    split = epochs({"a": 0.4, "b": 0.3, "c": 0.3}, {"a": 0.5, "b": 0.5, "c": 0.0})
    three = config(variants=weighted(a=0.4, b=0.3, c=0.3))
    arms = {(1, key): full(n) for key, n in (("a", 400), ("b", 300), ("c", 300))}
    arms |= {(2, "a"): full(400), (2, "b"): full(400)}
    assert checked(state(arms, three, epochs=split)).verdict != "BROKEN"
    answer = checked(state(arms | {(2, "c"): full(1)}, three, epochs=split))
    assert (answer.verdict, answer.srm.p_value, answer.srm.broken) == ("BROKEN", 0, True)
    assert "1 user got c" in answer.recommendation


@pytest.mark.parametrize("alpha", [1e-300, 1e-12, 0.5, 0.999, 1 - 1e-12])
def test_levels_at_their_ends(alpha: float) -> None:
    extreme = ALL.model_copy(update={"alpha": alpha})
    for planned in (None, 900):
        settings = extreme.model_copy(update={"planned_units": planned})
        checked(state({"a": full(500), "b": full(500, 0.95)}, settings))


def test_events_before_the_start_make_no_time() -> None:
    """A clock that is wrong: the store counts nothing outside of running spans."""
    held = of_rates(
        (3_000, 0.85), (3_000, 0.9), run_hours=-5.0, last_event_at=NOON - timedelta(hours=5)
    )
    answer = checked(held)
    assert (answer.verdict, answer.days_left) == ("KEEP_RUNNING", 7)
    assert "0.0 of 7 days" in answer.recommendation


def test_a_guardrail_without_data_ships_nothing_and_says_so() -> None:
    sums: dict[str, Any] = {"a": 0.85, "b": 0.9}
    arms = {key: arm(3_000, {"success_rate": share(3_000, p)}) for key, p in sums.items()}
    rated = config(
        metrics=[
            {"name": "success_rate", "role": "primary"},
            {"name": "rating", "role": "guardrail"},
        ]
    )
    answer = checked(state(arms, rated))
    assert answer.verdict == "KEEP_RUNNING"
    assert "rating has no data" in answer.recommendation
    assert row(answer, "rating").non_inferior is None


def test_a_unit_in_two_variants_is_counted_and_in_no_sums() -> None:
    answer = checked(of_rates((500, 0.9), (500, 0.9), multiple=4))
    assert answer.multiple_exposures.units == 4
    assert answer.multiple_exposures.share == pytest.approx(4 / 1_004)


def test_operations_of_one_user_are_no_units() -> None:
    few = state({key: arm(90, {"success_rate": mixed(90, 0.9, 100)}) for key in "ab"})
    assert look(few)[0].verdict == "COLLECTING"
