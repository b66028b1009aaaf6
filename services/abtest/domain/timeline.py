"""When a test ran: the spans between a start and whatever ended or paused it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from shared.experiments.assignment import Epoch
from shared.experiments.lifecycle import State


class Span(NamedTuple):
    """From a start to before what ended it; `until` is `None` while it lasts."""

    since: datetime
    until: datetime | None


def running_spans(steps: Iterable[tuple[datetime, str]]) -> tuple[Span, ...]:
    """Spans of steps (when, the state from then on), oldest first."""
    found: list[Span] = []
    since: datetime | None = None
    for at, state in steps:
        if state == State.RUNNING:
            since = since or at  # a change of weights is a step, and goes on running
        elif since is not None:
            found.append(Span(since, at))
            since = None
    if since is not None:
        found.append(Span(since, None))
    return tuple(found)


def held_at(epochs: Sequence[Epoch], at: datetime) -> int:
    """How many of a test's epochs had begun."""
    count = len(epochs)
    while count and epochs[count - 1].since > at:
        count -= 1
    return count


def hours_run(spans: Sequence[Span], until: datetime | None) -> float:
    """Hours inside the spans up to an instant; without one, none."""
    if until is None:
        return 0.0
    ends = ((span.since, min(span.until or until, until)) for span in spans)
    return sum(max(0.0, (end - since).total_seconds()) for since, end in ends) / 3600
