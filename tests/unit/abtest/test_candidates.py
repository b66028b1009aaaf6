"""Which events concern a test, and which exposures are believed."""

from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.abtest.domain.candidates import (
    Ignored,
    judged_by,
    of_exposure,
    of_operation,
    of_opinion,
    opinion,
)
from services.abtest.domain.live import LiveTest
from services.abtest.domain.rows import Candidate
from services.abtest.domain.timeline import Span, held_at, hours_run, running_spans
from shared.events.exposure import ExposureEvent
from shared.events.feedback import FeedbackEvent
from shared.events.operation import OperationEvent
from shared.experiments.assignment import Assigned
from tests.support.abtest import TEST_ID, at, live
from tests.support.experiments import NOON

C_TAKEN_OUT = live({"a": 0.2, "b": 0.2, "c": 0.6}, {"a": 0.5, "b": 0.5, "c": 0.0})


def operation(**changes: Any) -> OperationEvent:
    """One operation an hour after the start."""
    fields: dict[str, Any] = {
        "event_id": uuid4(),
        "tenant_id": "acme",
        "occurred_at": at(1),
        "operation_id": "op-1",
        "model_id": "m-a",
        "success": True,
        "response_time_ms": 100.0,
        "user_id": "u1",
    }
    return OperationEvent(**{**fields, **changes})


def shown(variant: str, unit: str = "u1", **changes: Any) -> ExposureEvent:
    """One exposure an hour after the start."""
    fields: dict[str, Any] = {
        "event_id": uuid4(),
        "tenant_id": "acme",
        "occurred_at": at(1),
        "test_id": str(TEST_ID),
        "unit_id": unit,
        "variant": variant,
    }
    return ExposureEvent(**{**fields, **changes})


def rows(event: OperationEvent, *tests: LiveTest) -> list[Candidate]:
    """What of an operation concerns these tests."""
    return list(of_operation(event, tests, lambda tenant, unit: f"p.{unit}", lambda _: 7))


def seen(event: ExposureEvent, test: LiveTest) -> Candidate | Ignored:
    """What an exposure says of a test."""
    return of_exposure(event, {test.test_id: test}, lambda tenant, unit: f"p.{unit}")


def test_instants_are_kept_in_utc_so_that_a_unit_s_day_is() -> None:
    there = timezone(timedelta(hours=9))
    row = rows(operation(occurred_at=at(1).astimezone(there)), live())[0]
    said = opinion(
        FeedbackEvent(
            event_id=uuid4(),
            tenant_id="acme",
            occurred_at=at(1).astimezone(there),
            operation_id="op-1",
            rating=3,
        ),
        at(2),
    )
    shown_there = seen(shown(row.variant, occurred_at=at(1).astimezone(there)), live())
    assert isinstance(shown_there, Candidate)
    for one in (row.occurred_at, row.counts_at, said.occurred_at, shown_there.counts_at):
        assert one == at(1)
        assert one.utcoffset() == timedelta(0)


def moved_unit() -> str:
    """A unit that the first epoch gave c, and the second another variant."""
    return next(
        unit
        for unit in (f"u{number}" for number in range(100))
        if (placed := C_TAKEN_OUT.place_by(unit, 1)) and placed.variant == "c"
    )


def test_an_operation_is_kept_with_integers_and_its_pseudonym() -> None:
    test = live()
    (row,) = rows(operation(input_tokens=5, confidence=0.25), test)
    assert (row.unit, row.ok, row.slow, row.tok, row.cost, row.conf) == (
        "p.u1",
        1,
        0,
        5,
        7,
        250_000,
    )
    assert row.ln == 4_605_170
    placed = test.place("u1", at(1))
    assert placed == Assigned(row.variant, row.epoch)
    assert row.is_crossed == (row.variant != "a")


def test_what_is_not_observed_is_no_zero() -> None:
    (row,) = rows(operation(), live())
    assert row.tok is None
    assert row.conf is None


@pytest.mark.parametrize(
    "changes",
    [
        {"user_id": None},
        {"occurred_at": NOON - timedelta(microseconds=1)},
        {"operation_type": "other"},
        {"user_id": "u\x1f1"},
    ],
)
def test_what_concerns_no_test(changes: dict[str, Any]) -> None:
    test = live(filter={"operation_type": "chat"})
    assert rows(operation(), test)
    assert not rows(operation(**changes), test)


def test_the_unit_may_be_a_session() -> None:
    test = live(unit="session_id")
    assert not rows(operation(), test)
    assert rows(operation(user_id=None, session_id="s1"), test)[0].unit == "p.s1"


def test_a_unit_whose_variant_was_taken_out_is_placed_anew_from_then_on() -> None:
    unit = moved_unit()
    (first,) = rows(operation(user_id=unit), C_TAKEN_OUT)
    (then,) = rows(operation(user_id=unit, occurred_at=at(25)), C_TAKEN_OUT)
    assert (first.epoch, first.variant) == (1, "c")
    assert then.epoch == 2
    assert then.variant in "ab"


def test_a_client_that_knows_only_the_first_epoch_is_believed() -> None:
    late = seen(shown("c", moved_unit(), occurred_at=at(25), epoch=1), C_TAKEN_OUT)
    assert isinstance(late, Candidate)
    assert (late.epoch, late.is_crossed) == (1, False)


def test_nobody_is_put_into_a_variant_that_was_taken_out() -> None:
    """By one wrong event a test would hold a unit where nobody may be, and be broken for good."""
    narrow = replace(
        C_TAKEN_OUT, epochs=tuple(replace(one, places=((0, 2_000),)) for one in C_TAKEN_OUT.epochs)
    )
    outside = next(f"o-{n}" for n in range(1_000) if narrow.place(f"o-{n}", at(25)) is None)
    wrong = seen(shown("c", outside, occurred_at=at(25)), narrow)
    assert isinstance(wrong, Candidate)
    assert wrong.is_crossed


def test_another_variant_than_the_hash_says_is_marked() -> None:
    test = live()
    placed = test.place("u1", at(1))
    assert placed is not None
    right, wrong = seen(shown(placed.variant), test), seen(shown("ab".strip(placed.variant)), test)
    assert isinstance(right, Candidate)
    assert isinstance(wrong, Candidate)
    assert (right.is_crossed, wrong.is_crossed) == (False, True)


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (shown("a", test_id="no"), Ignored.UNKNOWN_TEST),
        (shown("a", occurred_at=at(-1)), Ignored.NOT_RUNNING),
        (shown("z"), Ignored.UNKNOWN_VARIANT),
        (shown("a", epoch=2), Ignored.UNKNOWN_EPOCH),
        (shown("a", "u\x1f"), Ignored.BAD_UNIT),
    ],
)
def test_exposures_that_say_nothing(event: ExposureEvent, why: Ignored) -> None:
    assert seen(event, live()) is why


def test_feedback_follows_the_earlier_operation_of_an_id() -> None:
    test = live()
    found = [*rows(operation(occurred_at=at(2)), test), *rows(operation(user_id="u2"), test)]
    judged = judged_by(found)["acme", "op-1"]
    assert [one.unit for one in judged] == ["p.u2"]
    said = FeedbackEvent(
        event_id=uuid4(), tenant_id="acme", occurred_at=at(99), operation_id="op-1", helpful=False
    )
    (row,) = of_opinion(opinion(said, at(100)), judged, {test.test_id: test})
    assert (row.unit, row.helpful, row.rating, row.counts_at) == ("p.u2", 0, None, at(1))


def test_words_alone_are_not_counted() -> None:
    said = FeedbackEvent(
        event_id=UUID(int=1), tenant_id="acme", occurred_at=at(1), operation_id="o", comment="hm"
    )
    assert opinion(said, at(1)).says_nothing


def test_spans_end_with_pauses_and_not_with_changes() -> None:
    steps = [(at(0), "running"), (at(1), "running"), (at(2), "paused"), (at(5), "running")]
    spans = running_spans(steps)
    assert spans == (Span(at(0), at(2)), Span(at(5), None))
    assert hours_run(spans, at(6)) == 3
    assert hours_run(spans, None) == 0
    assert running_spans([*steps, (at(7), "stopped")])[-1] == Span(at(5), at(7))
    assert [held_at(C_TAKEN_OUT.epochs, at(hour)) for hour in (-1, 0, 23, 24)] == [0, 1, 1, 2]
