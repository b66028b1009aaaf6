"""A test as events meet it: when it ran, whom it takes, and by what limits it counts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count as counter
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from services.abtest.domain.past import NO_PAST, Past, past_of
from services.abtest.domain.timeline import Span, held_at, running_spans
from shared.events.operation import OperationEvent
from shared.experiments.assignment import Assigned, Epoch, assign
from shared.experiments.config import ExperimentConfig
from shared.experiments.lifecycle import State
from shared.experiments.metrics import DEFAULT_SLO_MS, SLO_METRIC

EPOCHS = TypeAdapter(tuple[Epoch, ...])
MOST_REMEMBERED = 50_000
"""Places of units, over all tests: some megabytes."""

_placed: dict[tuple[int, str, int], Assigned | None] = {}

Row = Any  # a row of the store: members by column


@dataclass(frozen=True, slots=True)
class LiveTest:
    """A test that has begun."""

    tenant_id: str
    test_id: UUID
    state: State
    config: ExperimentConfig
    epochs: tuple[Epoch, ...]
    spans: tuple[Span, ...]
    started_at: datetime
    ended_at: datetime | None
    slo_ms: float
    models: Mapping[str, str]
    """Model by variant."""
    past: Past = NO_PAST
    _serial: int = field(default_factory=counter().__next__, compare=False)

    def ran_at(self, at: datetime) -> bool:
        """Whether an instant lies in a running span."""
        return any(since <= at and (until is None or at < until) for since, until in self.spans)

    def takes(self, event: OperationEvent) -> bool:
        """Whether the filter lets an operation through."""
        wanted = self.config.filter
        return (
            wanted.operation_type in (None, event.operation_type)
            and wanted.environment in (None, event.environment)
            and wanted.agent_id in (None, event.agent_id)
        )

    def unit_of(self, event: OperationEvent) -> str | None:
        """The raw id of whoever is randomised."""
        return event.user_id if self.config.unit == "user_id" else event.session_id

    def place(self, unit: str, at: datetime) -> Assigned | None:
        """Where the hash put a unit at an instant; `None`: outside."""
        return self.place_by(unit, held_at(self.epochs, at))

    def place_by(self, unit: str, count: int) -> Assigned | None:
        """Where the first so many epochs put it. Remembered: users come again and again."""
        key = self._serial, unit, count
        try:
            return _placed[key]
        except KeyError:
            pass
        if len(_placed) >= MOST_REMEMBERED:
            _placed.clear()
        config = self.config
        try:
            found = assign(config.key, config.exclusion_group, self.epochs[:count], unit)
        except ValueError:
            found = None  # an id with the character that separates what is hashed
        _placed[key] = found
        return found

    def is_taken_out(self, variant: str, after: int, until: int) -> bool:
        """Whether an epoch after one, and up to another, gave a variant nothing."""
        return any(one.gives_nothing_to(variant) for one in self.epochs[after:until])


def live_test(row: Row, steps: Iterable[tuple[datetime, str]]) -> LiveTest:
    """A stored test and its steps, oldest first."""
    config = ExperimentConfig.model_validate_json(row["body"])
    limits = [one.slower_than_ms for one in config.metrics if one.name == SLO_METRIC]
    return LiveTest(
        row["tenant_id"],
        row["test_id"],
        State(row["state"]),
        config,
        EPOCHS.validate_json(row["epochs"]),
        running_spans(steps),
        row["started_at"],
        row["ended_at"],
        limits[0] if limits else DEFAULT_SLO_MS,
        {one.key: one.model_id for one in config.variants},
        past_of(row),
    )


Tests = Mapping[str, Mapping[UUID, LiveTest]]
"""Tests by tenant and id."""
