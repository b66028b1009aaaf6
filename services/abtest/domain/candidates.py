"""Event x tests -> rows: what of an event concerns which test. Whether a row counts, its unit says.

An operation concerns a test that ran when it occurred, whose filter it passes and whose hash takes
its unit. Feedback follows its operation. An exposure is believed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from services.abtest.domain.live import LiveTest
from services.abtest.domain.rows import EXPOSURE, FEEDBACK, OPERATION, Candidate
from shared.events.exposure import ExposureEvent
from shared.events.feedback import FeedbackEvent
from shared.events.operation import OperationEvent
from shared.experiments.assignment import SEPARATOR
from shared.experiments.values import ln_micro, micro
from shared.measures.sketch import key_of

PseudonymOf = Callable[[str, str], str]
Price = Callable[[OperationEvent], int | None]


class Ignored(StrEnum):
    """Why an exposure says nothing."""

    UNKNOWN_TEST = "unknown_test"
    NOT_RUNNING = "not_running"
    UNKNOWN_VARIANT = "unknown_variant"
    UNKNOWN_EPOCH = "unknown_epoch"
    BAD_UNIT = "bad_unit"


class Judged(NamedTuple):
    """An operation that concerns a test, as far as feedback on it needs to know."""

    test_id: UUID
    unit: str
    epoch: int
    variant: str
    counts_at: datetime


class Opinion(NamedTuple):
    """What of a feedback is counted, in the order of `ab_waiting`."""

    tenant_id: str
    event_id: UUID
    occurred_at: datetime
    operation_id: str
    arrived_at: datetime
    rating: int | None
    helpful: int | None
    accurate: int | None
    relevant: int | None
    fast: int | None

    @property
    def says_nothing(self) -> bool:
        """Whether it holds words only."""
        return all(value is None for value in self[5:])


def of_operation(
    event: OperationEvent, tests: Iterable[LiveTest], pseudonym: PseudonymOf, price: Price
) -> Iterator[Candidate]:
    """Rows of an operation: one for each test that it concerns."""
    at = event.occurred_at.astimezone(UTC)  # a unit's day is one of UTC
    for test in tests:
        unit = test.unit_of(event)
        if unit is None or not test.takes(event) or not test.ran_at(at):
            continue
        placed = test.place(unit, at)
        if placed is None:
            continue
        ms, tokens = event.response_time_ms, (event.input_tokens, event.output_tokens)
        yield Candidate(
            event.tenant_id,
            test.test_id,
            event.event_id,
            at,
            OPERATION,
            pseudonym(event.tenant_id, unit),
            event.operation_id,
            placed.epoch,
            placed.variant,
            counts_at=at,
            is_crossed=event.model_id != test.models[placed.variant],
            bin=key_of(ms),
            ok=int(event.success),
            ln=ln_micro(ms),
            slow=int(ms > test.slo_ms),
            tok=None if tokens == (None, None) else (tokens[0] or 0) + (tokens[1] or 0),
            cost=price(event),
            conf=None if event.confidence is None else micro(event.confidence),
        )


def opinion(event: FeedbackEvent, arrived_at: datetime) -> Opinion:
    """What of a feedback is counted."""
    aspects = (event.helpful, event.accurate, event.relevant, event.fast)
    return Opinion(
        *(event.tenant_id, event.event_id, event.occurred_at.astimezone(UTC)),
        *(event.operation_id, arrived_at),
        event.rating,
        *(None if one is None else int(one) for one in aspects),
    )


def of_opinion(
    said: Opinion, judged: Iterable[Judged], tests: Mapping[UUID, LiveTest]
) -> Iterator[Candidate]:
    """Rows of a feedback: in every test that its operation concerns, unless that had ended."""
    for one in judged:
        test = tests.get(one.test_id)
        if test is None or (test.ended_at is not None and said.occurred_at >= test.ended_at):
            continue
        yield Candidate(
            *(said.tenant_id, one.test_id, said.event_id, said.occurred_at, FEEDBACK),
            *(one.unit, said.operation_id, one.epoch, one.variant, one.counts_at),
            rating=said.rating,
            helpful=said.helpful,
            accurate=said.accurate,
            relevant=said.relevant,
            fast=said.fast,
        )


def of_exposure(
    event: ExposureEvent, tests: Mapping[UUID, LiveTest], pseudonym: PseudonymOf
) -> Candidate | Ignored:
    """The row of an exposure, or why it says nothing."""
    test, at = tests.get(_uuid(event.test_id) or UUID(int=0)), event.occurred_at.astimezone(UTC)
    if test is None:
        return Ignored.UNKNOWN_TEST
    if not test.ran_at(at):
        return Ignored.NOT_RUNNING
    if event.variant not in test.models:
        return Ignored.UNKNOWN_VARIANT
    if SEPARATOR in event.unit_id:
        return Ignored.BAD_UNIT
    seen = _seen(event, test)
    if seen is None:
        return Ignored.UNKNOWN_EPOCH
    epoch, is_crossed = seen
    return Candidate(
        *(event.tenant_id, test.test_id, event.event_id, at, EXPOSURE),
        *(pseudonym(event.tenant_id, event.unit_id), None, epoch, event.variant, at),
        is_crossed=is_crossed,
    )


def _seen(event: ExposureEvent, test: LiveTest) -> tuple[int, bool] | None:
    """The epoch in which a unit was shown its variant, and whether it belonged to another one."""
    if event.epoch is not None and event.epoch > len(test.epochs):
        return None
    placed = test.place(event.unit_id, event.occurred_at)
    if placed is not None and placed.variant == event.variant:
        return placed.epoch, False
    if event.epoch is not None:  # a client may not know the newest epoch yet
        before = test.place_by(event.unit_id, event.epoch)
        if before is not None and before.variant == event.variant:
            return before.epoch, False
    running = max(1, sum(one.since <= event.occurred_at for one in test.epochs))
    number = event.epoch or running
    # Nobody is put where nobody may be by one wrong event: it is a unit in two variants.
    return number, placed is not None or test.epochs[number - 1].gives_nothing_to(event.variant)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def judged_by(rows: Iterable[Candidate]) -> dict[tuple[str, str], list[Judged]]:
    """Operations among rows, by tenant and operation_id; of two with one id, the earlier."""
    first: dict[tuple[str, str, UUID], Candidate] = {}
    for row in rows:
        if row.kind != OPERATION or row.operation_id is None:
            continue
        key = row.tenant_id, row.operation_id, row.test_id
        known = first.get(key)
        if known is None or (row.occurred_at, row.event_id) < (known.occurred_at, known.event_id):
            first[key] = row
    found: dict[tuple[str, str], list[Judged]] = {}
    for (tenant_id, operation_id, test_id), row in first.items():
        judged = Judged(test_id, row.unit, row.epoch, row.variant, row.counts_at)
        found.setdefault((tenant_id, operation_id), []).append(judged)
    return found
