"""Each verdict, and which of two goes first."""

import math
from typing import Any

import pytest

from services.abtest.domain.memory import NOTHING, Memory
from services.abtest.domain.state import TestState
from shared.experiments.config import ExperimentConfig
from shared.experiments.lifecycle import State
from tests.support.abtests import arm, cost, epochs, look, mean, row, share, state, successes
from tests.support.experiments import config, weighted

PRIMARY = {"name": "success_rate", "role": "primary"}
LEAST = config(metrics=[PRIMARY | {"min_effect": 0.02}])
GUARDED = config(metrics=[PRIMARY, {"name": "response_time_ms", "role": "guardrail"}])
RATED = config(metrics=[{"name": "rating", "role": "primary"}])
THREE = config(variants=weighted(a=0.4, b=0.3, c=0.3))


def guarded(ms: float, units: int = 30_000, timed: int | None = None) -> TestState:
    """b is better; its response time is `ms` beside 800."""
    arms = {
        key: arm(
            units,
            {
                "success_rate": share(units, p),
                "response_time_ms": mean(timed or units, math.log(of), 0.5),
            },
        )
        for key, p, of in (("a", 0.85, 800.0), ("b", 0.9, ms))
    }
    return state(arms, GUARDED)


def three(
    rates: dict[str, float],
    units: int = 6_000,
    costs: dict[str, float] | None = None,
    **changes: Any,
) -> TestState:
    arms = {}
    for key, weight in THREE.weights.items():
        n = round(units * weight)
        sums = {"success_rate": share(n, rates[key])}
        arms[key] = arm(n, sums | ({"cost_usd": cost(n, costs[key])} if costs else {}))
    return state(arms, THREE, **changes)


@pytest.mark.parametrize(
    ("held", "verdict", "winner"),
    [
        pytest.param(state({}), "COLLECTING", None, id="nobody yet"),
        pytest.param(successes((500, 0.9), (99, 0.9), epochs=epochs({"a": 0.83, "b": 0.17})),
                     "COLLECTING", None, id="99 units"),
        pytest.param(successes((300, 0.99), (300, 0.98)), "COLLECTING", None, id="9 failures"),
        pytest.param(successes((99, 0.9), (20, 0.1)), "BROKEN", None,
                     id="a broken split goes before collecting"),
        pytest.param(successes((3_000, 0.9), (3_000, 0.9), multiple=61), "BROKEN", None,
                     id="one in a hundred saw two variants"),
        pytest.param(successes((3_000, 0.9), (3_000, 0.9), multiple=59), "KEEP_RUNNING", None,
                     id="fewer did"),
        pytest.param(successes((50, 0.9), (50, 0.9), multiple=3), "COLLECTING", None,
                     id="collecting goes before units in two variants"),
        pytest.param(successes((3_000, 0.9), (2_500, 0.8)), "BROKEN", None,
                     id="broken goes before harm"),
        pytest.param(successes((3_000, 0.9), (3_000, 0.8), run_hours=3.0), "STOP_HARM", None,
                     id="harm waits for no week"),
        pytest.param(successes((100, 1.0), (100, 0.0), run_hours=1.0), "STOP_HARM", None,
                     id="all fail"),
        pytest.param(guarded(840), "STOP_HARM", None, id="a guardrail's harm goes before shipping"),
        pytest.param(successes((3_000, 0.85), (3_000, 0.9)), "SHIP", "b", id="better"),
        pytest.param(successes((3_000, 0.85), (3_000, 0.9), run_hours=167.9), "KEEP_RUNNING", None,
                     id="better, but no week yet"),
        pytest.param(successes((3_000, 0.97), (3_000, 0.999)), "KEEP_RUNNING", None,
                     id="better, but three failures only"),
        pytest.param(guarded(790), "SHIP", "b", id="better and as fast"),
        pytest.param(guarded(805, units=3_000), "KEEP_RUNNING", None,
                     id="better, and perhaps too slow"),
        pytest.param(guarded(790, timed=50), "KEEP_RUNNING", None, id="a guardrail without data"),
        pytest.param(successes((50_000, 0.9), (50_000, 0.901), settings=LEAST), "NO_DIFFERENCE",
                     None, id="the same within the least that matters"),
        pytest.param(successes((50_000, 0.9), (50_000, 0.901)), "KEEP_RUNNING", None,
                     id="nothing was said to matter"),
        pytest.param(successes((3_000, 0.9), (3_000, 0.905), settings=config(planned_units=6_000)),
                     "INCONCLUSIVE", None, id="the planned end"),
        pytest.param(successes((3_000, 0.85), (3_000, 0.9), settings=config(planned_units=6_000)),
                     "SHIP", "b", id="better at the planned end"),
        pytest.param(successes((3_000, 0.9), (3_000, 0.905), state=State.STOPPED), "INCONCLUSIVE",
                     None, id="stopped"),
        pytest.param(successes((3_000, 0.9), (3_000, 0.905)), "KEEP_RUNNING", None, id="else"),
        pytest.param(successes((3_000, 0.9), (3_000, 0.9), epochs=epochs({"a": 0.5, "b": 0.5},
                     {"a": 1.0, "b": 0.0})), "INCONCLUSIVE", None, id="only the control is left"),
    ],
)  # fmt: skip
def test_the_first_that_holds(held: TestState, verdict: str, winner: str | None) -> None:
    answer, _ = look(held)
    assert (answer.verdict, answer.winner) == (verdict, winner), answer.recommendation


def test_missing_outcomes_that_differ_are_broken_data() -> None:
    arms = {key: arm(500, {"rating": mean(rated, 4, 1)}) for key, rated in (("a", 200), ("b", 120))}
    assert look(state(arms, RATED))[0].verdict == "BROKEN"
    arms["b"] = arm(500, {"rating": mean(180, 4, 1)})
    assert look(state(arms, RATED))[0].verdict == "KEEP_RUNNING"


class TestShipping:
    """A winner stays one."""

    def test_it_is_not_taken_back_when_the_effect_fades(self) -> None:
        _, memory = look(successes((3_000, 0.85), (3_000, 0.9)))
        answer, memory = look(successes((9_000, 0.87), (9_000, 0.871)), memory)
        assert (answer.verdict, answer.winner) == ("SHIP", "b")
        assert "earlier look" in answer.recommendation

    @pytest.mark.parametrize(
        ("held", "verdict"),
        [
            (successes((9_000, 0.9), (9_000, 0.8)), "STOP_HARM"),
            (successes((9_000, 0.9), (8_000, 0.9)), "BROKEN"),
        ],
    )
    def test_harm_and_broken_data_override_it(self, held: TestState, verdict: str) -> None:
        _, memory = look(successes((3_000, 0.85), (3_000, 0.9)))
        answer, memory = look(held, memory)
        assert (answer.verdict, answer.winner) == (verdict, None)
        assert memory.shipped is None

    def test_what_was_sure_on_the_bad_side_ships_nothing(self) -> None:
        """The smallest p keeps its direction."""
        _, memory = look(successes((3_000, 0.9), (3_000, 0.8)))
        answer, _ = look(successes((30_000, 0.9), (30_000, 0.9005)), memory)
        assert row(answer).p_value is not None
        assert row(answer).p_value < 0.001  # type: ignore[operator]
        assert answer.verdict == "KEEP_RUNNING"

    def test_looks_at_too_few_units_are_not_remembered(self) -> None:
        _, memory = look(successes((60, 0.5), (60, 1.0)))
        assert memory.smallest == {}


class TestSeveral:
    """More than one treatment."""

    def test_the_highest_lower_end_wins(self) -> None:
        answer, _ = look(three({"a": 0.8, "b": 0.85, "c": 0.95}))
        assert (answer.verdict, answer.winner) == ("SHIP", "c")

    def test_of_a_tie_the_cheaper_wins(self) -> None:
        rates = {"a": 0.8, "b": 0.9, "c": 0.895}
        dear = {"a": 0.001, "b": 0.003, "c": 0.002}
        assert look(three(rates))[0].winner == "b"
        assert look(three(rates, costs=dear))[0].winner == "c"
        assert look(three(rates, costs=dear | {"c": 0.004}))[0].winner == "b"

    def test_harm_is_not_hidden_by_a_variant_with_few_units(self) -> None:
        small = config(variants=weighted(a=0.49, b=0.49, c=0.02), metrics=[PRIMARY])
        arms = {
            key: arm(n, {"success_rate": share(n, p)})
            for key, n, p in (("a", 2_000, 0.9), ("b", 2_000, 0.8), ("c", 80, 0.9))
        }
        answer, _ = look(state(arms, small))
        assert answer.verdict == "STOP_HARM"
        assert not row(answer, variant="c").enough_data
        arms["b"] = arm(2_000, {"success_rate": share(2_000, 0.9)})
        assert look(state(arms, small))[0].verdict == "COLLECTING"

    def test_a_variant_that_was_taken_out_holds_nothing_up(self) -> None:
        split = epochs({"a": 0.4, "b": 0.3, "c": 0.3}, {"a": 0.5, "b": 0.5, "c": 0.0})
        arms = {
            (1, "a"): arm(120, {"success_rate": share(120, 0.85)}),
            (1, "b"): arm(90, {"success_rate": share(90, 0.85)}),
            (1, "c"): arm(60, {"success_rate": share(60, 0.2)}),
            (2, "a"): arm(4_000, {"success_rate": share(4_000, 0.85)}),
            (2, "b"): arm(4_000, {"success_rate": share(4_000, 0.9)}),
        }
        answer, _ = look(state(arms, THREE, epochs=split))
        assert (answer.verdict, answer.winner) == ("SHIP", "b")


class TestPlanned:
    """A hybrid test."""

    PLANNED: ExperimentConfig = config(planned_units=6_000)

    def test_is_decided_once_at_its_end_and_then_frozen(self) -> None:
        _, memory = look(successes((3_000, 0.9), (3_000, 0.905), settings=self.PLANNED))
        answer, again = look(successes((9_000, 0.9), (9_000, 0.93), settings=self.PLANNED), memory)
        first, _ = look(successes((3_000, 0.9), (3_000, 0.905), settings=self.PLANNED))
        assert row(answer).difference == row(first).difference
        assert row(answer).method == "hybrid"
        assert answer.verdict == "INCONCLUSIVE"
        assert again.frozen == memory.frozen

    def test_planned_units_in_less_than_a_week_wait_for_the_week(self) -> None:
        fast = successes((3_000, 0.85), (3_000, 0.9), settings=self.PLANNED, run_hours=72.0)
        answer, memory = look(fast)
        assert (answer.verdict, answer.days_left) == ("KEEP_RUNNING", 4)
        again = fast._replace(run_hours=168.0)
        assert look(again, memory)[0].verdict == "SHIP"

    def test_units_that_were_only_exposed_do_not_end_it(self) -> None:
        """All were assigned on the first day, and 3,998 of them did something since."""
        given = successes((1_999, 0.9), (1_999, 0.905), settings=self.PLANNED)
        arms = {key: one._replace(units=3_000) for key, one in given.arms.items()}
        answer, memory = look(given._replace(arms=arms))
        assert (answer.verdict, memory.ended, memory.frozen) == ("KEEP_RUNNING", False, {})

    def test_too_little_data_at_the_end_is_no_end(self) -> None:
        rare = successes((3_000, 0.999), (3_000, 0.999), settings=self.PLANNED)
        answer, memory = look(rare)
        assert answer.verdict == "COLLECTING"
        assert memory.frozen == {}


def test_broken_data_show_no_effect_and_leave_no_memory_of_it() -> None:
    answer, memory = look(successes((3_000, 0.9), (2_500, 0.8)))
    found = row(answer)
    assert found.unmet == "the split or the data are broken"
    assert {found.difference, found.low, found.high, found.p_value, found.relative} == {None}
    assert all(one.metrics["success_rate"].value is None for one in answer.variants)
    assert memory == Memory(split_peak=memory.split_peak, doubled=memory.doubled)
    assert NOTHING.split_peak == 0
