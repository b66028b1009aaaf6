"""What looks after the decisive one may still say, and what they must not."""

import math
from datetime import timedelta

import pytest

from services.abtest.domain.timeline import Span
from services.abtest.domain.waiting import arrivals
from shared.experiments.lifecycle import State
from tests.support.abtests import arm, epochs, look, mean, row, share, state, successes
from tests.support.experiments import config, weighted

PRIMARY = {"name": "success_rate", "role": "primary"}
PLANNED = config(planned_units=2_000)
NO_MARGIN = config(
    metrics=[PRIMARY, {"name": "share_slower_than_slo", "role": "guardrail"}], planned_units=4_000
)


def test_harm_after_the_planned_end_is_told_by_all_units() -> None:
    _, memory = look(successes((1_000, 0.9), (1_000, 0.902), settings=PLANNED))
    answer, _ = look(successes((9_000, 0.9), (9_000, 0.85), settings=PLANNED), memory)
    assert answer.verdict == "STOP_HARM"
    assert "5.0 points lower" in answer.recommendation
    assert row(answer).difference == pytest.approx(-0.05)


def test_a_frozen_difference_is_told_with_its_own_units() -> None:
    _, memory = look(successes((1_000, 0.9), (1_000, 0.902), settings=PLANNED))
    answer, _ = look(successes((9_000, 0.9), (9_000, 0.9), settings=PLANNED), memory)
    assert (answer.verdict, row(answer).units) == ("INCONCLUSIVE", 2_000)
    assert "after the planned 2,000 users" in answer.recommendation
    assert any("planned end" in said for said in answer.warnings)


def test_a_winner_that_was_taken_out_is_none() -> None:
    three = config(variants=weighted(a=0.4, b=0.3, c=0.3))
    arms = {key: arm(n, {"success_rate": share(n, p)}) for key, n, p in
            (("a", 4_000, 0.85), ("b", 3_000, 0.92), ("c", 3_000, 0.85))}  # fmt: skip
    answer, memory = look(state(arms, three))
    assert (answer.verdict, answer.winner) == ("SHIP", "b")
    without = epochs({"a": 0.4, "b": 0.3, "c": 0.3}, {"a": 0.5, "b": 0.0, "c": 0.5})
    answer, memory = look(state(arms, three, epochs=without), memory)
    assert (answer.verdict, answer.winner, memory.shipped) == ("KEEP_RUNNING", None, None)


def test_a_guardrail_that_may_have_slipped_since_is_named() -> None:
    guarded = config(metrics=[PRIMARY, {"name": "response_time_ms", "role": "guardrail"}])

    def held(ms: float, units: int) -> object:
        return state(
            {
                key: arm(
                    units,
                    {
                        "success_rate": share(units, p),
                        "response_time_ms": mean(units, math.log(of), 0.5),
                    },
                )
                for key, p, of in (("a", 0.85, 800.0), ("b", 0.9, ms))
            },
            guarded,
        )

    answer, memory = look(held(790, 30_000))  # type: ignore[arg-type]
    assert "every guardrail holds" in answer.recommendation
    answer, _ = look(held(808, 31_000), memory)  # type: ignore[arg-type]
    assert answer.verdict == "SHIP"
    assert "every guardrail holds" not in answer.recommendation
    assert "not surely safe now: response time" in answer.recommendation


def test_a_share_of_nothing_is_no_margin_and_the_sentence_says_so() -> None:
    arms = {
        key: arm(
            3_000, {"success_rate": share(3_000, p), "share_slower_than_slo": share(3_000, 0.0)}
        )
        for key, p in (("a", 0.85), ("b", 0.9))
    }
    answer, _ = look(state(arms, NO_MARGIN))
    assert answer.verdict != "SHIP"
    assert "a new test needs an absolute margin" in answer.recommendation


def test_of_several_the_one_furthest_back_is_waited_for() -> None:
    three = config(variants=weighted(a=0.49, b=0.49, c=0.02))
    arms = {key: arm(n, {"success_rate": share(n, 0.9)}) for key, n in
            (("a", 90), ("b", 98), ("c", 4))}  # fmt: skip
    answer, _ = look(state(arms, three))
    assert "4 of 100 users in c" in answer.recommendation


def test_those_who_did_nothing_yet_shorten_no_wait() -> None:
    planned = config(planned_units=20_000)
    arms = {
        key: arm(50_000, {"success_rate": share(5_000, p)}) for key, p in (("a", 0.9), ("b", 0.9))
    }
    answer, _ = look(state(arms, planned))
    assert answer.days_left == pytest.approx(10, rel=0.15)


def test_days_of_a_pause_are_no_days_without_arrivals() -> None:
    given = successes((3_000, 0.9), (3_000, 0.9))
    day = timedelta(days=1)
    begin = given.started_at
    spans = (Span(begin, begin + 3 * day), Span(begin + 9 * day, None))
    units = {begin.date() + n * day: 1_000 for n in (0, 1, 2, 3, 9, 10)}
    held = given._replace(spans=spans, new_units=units)
    assert arrivals(held, begin + 11 * day) == [1_000, 1_000, 1_000]


def test_stopped_before_its_planned_end_it_could_have_seen_less() -> None:
    planned = config(planned_units=20_000)
    early = successes((1_000, 0.9), (1_000, 0.9), settings=planned, state=State.STOPPED)
    late = successes((1_000, 0.9), (1_000, 0.9), settings=PLANNED, state=State.STOPPED)

    def least(answer_of: str) -> float:
        return float(answer_of.split("A difference of ")[1].split(" point", maxsplit=1)[0])

    one, other = (look(held)[0].recommendation for held in (early, late))
    assert least(one) > 1.4 * least(other)


def test_variants_share_the_chance_of_a_false_alarm() -> None:
    """A harm that is just seen in one of two is not yet in one of ten."""
    slow = {"name": "response_time_ms", "role": "guardrail"}
    keys = "abcdefghij"
    ten = config(variants=weighted(**dict.fromkeys(keys, 0.1)), metrics=[PRIMARY, slow])
    two = config(metrics=[PRIMARY, slow])

    def held(names: str, settings: object) -> object:
        arms = {
            key: arm(
                2_500,
                {
                    "success_rate": share(2_500, 0.9),
                    "response_time_ms": mean(2_500, 6.7 + 0.044 * (key == "b"), 0.5),
                },
            )
            for key in names
        }
        return state(arms, settings)  # type: ignore[arg-type]

    assert look(held("ab", two))[0].verdict == "STOP_HARM"  # type: ignore[arg-type]
    assert look(held(keys, ten))[0].verdict != "STOP_HARM"  # type: ignore[arg-type]
