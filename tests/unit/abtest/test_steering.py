"""What follows from a look: the step that is told, and where it leads."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.abtest.domain.state import TestState
from services.abtest.domain.steering import Before, PastStep, Step, is_overruled, next_step
from shared.events.experiment import ExperimentEvent
from shared.experiments.lifecycle import State
from tests.support.abtests import NOON, TEST_ID, look, state, successes
from tests.support.experiments import config

HARMFUL = ((3_000, 0.9), (3_000, 0.8))
BETTER = ((3_000, 0.85), (3_000, 0.9))
NOW = NOON + timedelta(days=11)


def past(minute: int, to: str, actor: str | None = None, verdict: str | None = None) -> PastStep:
    """A step so many minutes after the start."""
    identity = UUID(int=minute + 1)
    return PastStep(identity, NOON + timedelta(minutes=minute), to, actor, verdict)


BEGUN = past(0, "running", "ann")
PAUSED = past(1, "paused", None, "STOP_HARM")
STARTED = past(2, "running", "ann", "STOP_HARM")


def after(
    held: TestState, *steps: PastStep, before: Before | None = None, now: Any = NOW
) -> Step | None:
    """The step that a look at a test with a history leads to."""
    before = before or Before()
    answer, _ = look(held, before.memory)
    return next_step(held, before, answer, steps or (BEGUN,), now)


def event_of(step: Step | None) -> ExperimentEvent:
    assert step is not None
    return ExperimentEvent.model_validate_json(step.body)


def test_harm_pauses_a_running_test_and_says_so() -> None:
    step = after(successes(*HARMFUL))
    event = event_of(step)
    assert step is not None
    assert (step.state, step.test_id, step.occurred_at) == (State.PAUSED, TEST_ID, NOW)
    assert step.reason == event.reason
    assert event.reason.startswith("Paused by itself: Turn b off now")
    assert (event.state, event.verdict, event.winner, event.actor) == (
        *("paused", "STOP_HARM", None, None),
    )
    assert event.previous_verdict == "COLLECTING"
    assert event.samples == {"a": 3_000, "b": 3_000}
    assert [(one.metric, one.variant, one.control) for one in event.effects] == [
        ("success_rate", "b", "a")
    ]
    assert event.effects[0].difference == pytest.approx(-0.1)


def test_broken_data_pause_too_and_their_effects_are_not_told() -> None:
    event = event_of(after(successes((3_000, 0.9), (2_500, 0.8))))
    assert (event.state, event.verdict) == ("paused", "BROKEN")
    assert [one.difference for one in event.effects] == [None]


@pytest.mark.parametrize("of", [State.PAUSED, State.STOPPED, State.CONCLUDED])
def test_what_does_not_run_is_told_of_and_stays(of: State) -> None:
    held = successes(*HARMFUL, state=of, settings=config(auto_conclude=True))
    assert event_of(after(held)).state == of.value


def test_nobody_wants_it_paused() -> None:
    event = event_of(after(successes(*HARMFUL, settings=config(auto_pause=False))))
    assert (event.state, event.verdict) == ("running", "STOP_HARM")
    assert event.reason.startswith("Turn b off now")


@pytest.mark.parametrize(
    ("settings", "to"),
    [({}, "running"), ({"auto_conclude": True}, "concluded")],
)
def test_a_winner_ends_a_test_that_may_be_ended(settings: dict[str, Any], to: str) -> None:
    event = event_of(after(successes(*BETTER, settings=config(**settings))))
    assert (event.state, event.verdict, event.winner) == (to, "SHIP", "b")
    assert event.reason.startswith("Concluded by itself: " if settings else "Ship b")


def test_no_difference_ends_it_without_a_winner() -> None:
    metric = {"name": "success_rate", "role": "primary", "min_effect": 0.02}
    settings = config(metrics=[metric], auto_conclude=True)
    event = event_of(after(successes((50_000, 0.9), (50_000, 0.901), settings=settings)))
    assert (event.state, event.verdict, event.winner) == ("concluded", "NO_DIFFERENCE", None)


def test_what_was_told_is_not_told_again() -> None:
    assert after(state({})) is None, "a test begins by collecting"
    known = Before("STOP_HARM")
    assert after(successes(*HARMFUL, state=State.PAUSED), before=known) is None
    brave = successes(*HARMFUL, settings=config(auto_pause=False))
    assert after(brave, before=known) is None


def test_another_winner_is_told() -> None:
    held = successes(*BETTER)
    assert event_of(after(held, before=Before("SHIP", "c"))).winner == "b"
    assert after(held, before=Before("SHIP", "b")) is None


def test_harm_that_was_told_pauses_once_that_is_wanted() -> None:
    event = event_of(after(successes(*HARMFUL), before=Before("STOP_HARM")))
    assert event.state == "paused"


class TestOverruled:
    """A person's start after a pause by itself."""

    @pytest.mark.parametrize(
        ("steps", "is_so"),
        [
            pytest.param([BEGUN], False, id="never paused"),
            pytest.param([BEGUN, PAUSED], False, id="paused"),
            pytest.param([BEGUN, PAUSED, STARTED], True, id="started again"),
            pytest.param([BEGUN, PAUSED, STARTED, past(3, "running", None, "KEEP_RUNNING")], True,
                         id="also when it got better meanwhile"),
            pytest.param([BEGUN, PAUSED, STARTED, past(3, "paused", "bob"),
                          past(4, "running", "bob")], True,
                         id="also after a pause that a person made"),
            pytest.param([BEGUN, past(1, "paused", None, "BROKEN"), STARTED], False,
                         id="paused for something else"),
            pytest.param([BEGUN, past(1, "paused", "bob"), PAUSED, STARTED], False,
                         id="paused by a person, and only told of by itself"),
            pytest.param([BEGUN, past(1, "paused", None, "BROKEN"), past(2, "running", "ann"),
                          past(3, "paused", None, "STOP_HARM"), past(4, "running", "ann")], True,
                         id="the second of two pauses"),
        ],
    )  # fmt: skip
    def test_by_its_history(self, steps: list[PastStep], is_so: bool) -> None:
        assert is_overruled(steps, "STOP_HARM") is is_so

    def test_it_is_not_paused_again_for_the_same(self) -> None:
        held = successes(*HARMFUL)
        assert after(held, BEGUN, PAUSED, STARTED, before=Before("STOP_HARM")) is None
        again = after(held, BEGUN, PAUSED, STARTED, before=Before("KEEP_RUNNING"))
        assert event_of(again).state == "running"

    def test_it_is_for_something_else(self) -> None:
        broken = successes((3_000, 0.9), (2_500, 0.8))
        step = after(broken, BEGUN, PAUSED, STARTED, before=Before("STOP_HARM"))
        assert event_of(step).state == "paused"


class TestIdentity:
    """A step that must be taken again is the same step."""

    def test_also_after_more_events(self) -> None:
        one = event_of(after(successes(*HARMFUL), now=NOW))
        later = event_of(
            after(successes((3_500, 0.9), (3_500, 0.8), version=9), now=NOW + timedelta(hours=1))
        )
        assert one.event_id == later.event_id
        assert one.reason != later.reason

    def test_it_is_another_after_another_step_or_of_another_verdict(self) -> None:
        harmful, better = successes(*HARMFUL), successes(*BETTER)
        of_other = successes(*HARMFUL, test_id=uuid4())
        paused = past(5, "paused", "bob")
        steps = [after(harmful), after(harmful, BEGUN, paused), after(better), after(of_other)]
        assert len({event_of(one).event_id for one in steps}) == 4

    def test_it_comes_after_the_last_also_when_clocks_differ(self) -> None:
        ahead = past(60 * 24 * 12, "running", "ann")
        step = after(successes(*HARMFUL), BEGUN, ahead)
        assert step is not None
        assert step.occurred_at == ahead.occurred_at + timedelta(microseconds=1)

    def test_it_comes_after_the_last_epoch_too(self) -> None:
        held = successes(*HARMFUL)
        ahead = replace(held.epochs[-1], since=NOW + timedelta(hours=1))
        step = after(held._replace(epochs=(ahead,)))
        assert step is not None
        assert step.occurred_at == ahead.since + timedelta(microseconds=1)
