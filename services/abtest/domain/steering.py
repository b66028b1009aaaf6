"""What follows from a look at a test: whether it is told, and whether the test ends or pauses."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID, uuid5

from services.abtest.domain.memory import NOTHING, Memory
from services.abtest.domain.state import TestState
from shared.events.experiment import ExperimentEvent, Verdict
from shared.experiments.epochs import next_instant
from shared.experiments.lifecycle import State
from shared.experiments.results import ResultsAnswer

PAUSING: Final = ("STOP_HARM", "BROKEN")
CONCLUDING: Final = ("SHIP", "NO_DIFFERENCE")
LONGEST_REASON: Final = 2_048
SAID: Final = {State.PAUSED: "Paused by itself: ", State.CONCLUDED: "Concluded by itself: "}


class ChangedError(Exception):
    """Somebody changed the test during a look: nothing of the look holds, the next one sees it."""


class Due(NamedTuple):
    """A test that is not any more as it was when it was looked at last."""

    tenant_id: str
    test_id: UUID
    looked_at: datetime | None
    """When it was looked at last; who finds another time was overtaken."""


class Before(NamedTuple):
    """What the look before left; a test that was never looked at is collecting."""

    verdict: Verdict = "COLLECTING"
    winner: str | None = None
    memory: Memory = NOTHING


class PastStep(NamedTuple):
    """A step of a test's life, as far as the next one depends on it."""

    event_id: UUID
    occurred_at: datetime
    state: str
    actor: str | None
    verdict: str | None


class Step(NamedTuple):
    """A step that nobody took; members as they are stored."""

    event_id: UUID
    test_id: UUID
    occurred_at: datetime
    state: State
    reason: str
    body: str


def is_news(before: Before, answer: ResultsAnswer) -> bool:
    """Whether everybody is to hear what a test says now."""
    return (before.verdict, before.winner) != (answer.verdict, answer.winner)


def wanted(state: TestState, answer: ResultsAnswer) -> State:
    """Where the verdict moves a running test; what a person paused or ended stays as it is."""
    if state.state is not State.RUNNING:
        return state.state
    if state.config.auto_pause and answer.verdict in PAUSING:
        return State.PAUSED
    if state.config.auto_conclude and answer.verdict in CONCLUDING:
        return State.CONCLUDED
    return state.state


def is_overruled(steps: Sequence[PastStep], verdict: Verdict) -> bool:
    """Whether somebody started a test again that this verdict had paused; steps oldest first."""
    was_paused_for_it = False
    before = ""
    for step in steps:
        if step.actor is None and step.state == State.PAUSED != before:
            was_paused_for_it = was_paused_for_it or step.verdict == verdict
        elif was_paused_for_it and step.actor is not None and step.state == State.RUNNING:
            return True
        before = step.state
    return False


def next_step(
    state: TestState,
    before: Before,
    answer: ResultsAnswer,
    steps: Sequence[PastStep],
    now: datetime,
) -> Step | None:
    """The step that a look leads to; `None` when nothing is to be told."""
    after = wanted(state, answer)
    if after is State.PAUSED and is_overruled(steps, answer.verdict):
        after = state.state
    if after is state.state and not is_news(before, answer):
        return None
    last_at = steps[-1].occurred_at if steps else state.started_at
    at = next_instant(now, last_at, state.epochs)
    said = SAID[after] if after is not state.state else ""
    reason = (said + answer.recommendation)[:LONGEST_REASON]
    event_id = _identity(state, answer, steps, after)
    event = _event(state, answer, after, event_id, at, reason)
    body = event.model_copy(update={"previous_verdict": before.verdict}).model_dump_json()
    return Step(event_id, state.test_id, at, after, reason, body)


def _identity(
    state: TestState, answer: ResultsAnswer, steps: Sequence[PastStep], after: State
) -> UUID:
    """The same however often the step must be taken, also if more events have come by then.

    A server that lost its last moments may have been read before: whoever heard of the step from
    there hears of the same step again.
    """
    last = steps[-1].event_id if steps else state.test_id
    return uuid5(state.test_id, f"{last} {after} {answer.verdict} {answer.winner or ''}")


def _event(
    state: TestState,
    answer: ResultsAnswer,
    after: State,
    event_id: UUID,
    at: datetime,
    reason: str,
) -> ExperimentEvent:
    return ExperimentEvent(
        event_id=event_id,
        tenant_id=state.tenant_id,
        occurred_at=at,
        test_id=state.test_id,
        key=state.config.key,
        name=state.config.name or state.config.key,
        state=after.value,
        verdict=answer.verdict,
        winner=answer.winner,
        effects=answer.effects,
        samples=answer.samples,
        epoch=state.epochs[-1].number if state.epochs else None,
        reason=reason,
        actor=None,
    )
