"""Steps that people take in the lives of A/B tests, as everybody is told of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from pydantic import ValidationError

from services.gateway.domain.experiments import KeptTest
from shared.events.experiment import ExperimentEvent
from shared.experiments.results import ResultsAnswer


class Around(NamedTuple):
    """What a change of a test depends on, read once nobody else can change the test any more."""

    others: Sequence[KeptTest] = ()
    """Those that hold units of the same exclusion group."""
    last_step: datetime | None = None
    """When the last step of its life was taken, by whichever clock."""
    results: ResultsAnswer | None = None
    """What it says by now."""

    @property
    def held(self) -> list[tuple[int, int]]:
        """Buckets that others hold."""
        return [place for other in self.others for place in other.epochs[-1].places]


class Step(NamedTuple):
    """A step that is to be told; members as they are stored."""

    event_id: UUID
    test_id: UUID
    occurred_at: datetime
    state: str
    actor: str
    reason: str
    body: str


class Deed(NamedTuple):
    """Who does something, when, and why."""

    event_id: UUID
    at: datetime
    actor: str
    reason: str


def step_of(test: KeptTest, deed: Deed, results: ResultsAnswer | None) -> Step:
    """What is told of a test that somebody has just changed, with what it says by then."""
    event = ExperimentEvent(
        event_id=deed.event_id,
        tenant_id=test.tenant_id,
        occurred_at=deed.at,
        test_id=test.test_id,
        key=test.config.key,
        name=test.config.name or test.config.key,
        state=test.state.value,
        verdict=results.verdict if results else test.verdict,
        winner=results.winner if results else None,
        effects=results.effects if results else [],
        samples=results.samples if results else {},
        epoch=test.epochs[-1].number if test.epochs else None,
        reason=deed.reason,
        actor=deed.actor,
    )
    body = event.model_dump_json()
    state = test.state.value
    return Step(deed.event_id, test.test_id, deed.at, state, deed.actor, deed.reason, body)


def results_of(body: str | None) -> ResultsAnswer | None:
    """Results as they are kept; those that this release cannot read stop nobody's step."""
    try:
        return None if body is None else ResultsAnswer.model_validate_json(body)
    except ValidationError:
        return None
