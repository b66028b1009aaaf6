"""What people do with A/B tests: make, change, start, pause, stop."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol
from uuid import UUID

from services.gateway.domain.experiments import (
    Changes,
    KeptTest,
    Step,
    changed_config,
    check_fixed,
    check_group,
    step_of,
    test_view,
)
from services.gateway.domain.problems import Problem, wrong_field
from shared.clock import Clock
from shared.experiments.config import ExperimentConfig
from shared.experiments.epochs import NobodyError, first_epoch, next_epoch
from shared.experiments.lifecycle import ENDED, Action, NotNowError, State, step

MOST_TESTS = 200

Decide = Callable[[KeptTest, Sequence[KeptTest]], tuple[KeptTest, Step | None]]
SAID = {
    (State.DRAFT, Action.START): "Started.",
    (State.PAUSED, Action.START): "Goes on.",
    (State.RUNNING, Action.PAUSE): "Paused: everybody gets the control.",
    (State.RUNNING, Action.STOP): "Stopped for good.",
    (State.PAUSED, Action.STOP): "Stopped for good.",
}


class Store(Protocol):
    """Where tests stay."""

    async def add(self, tenant_id: str, values: Sequence[Any], most: int) -> KeptTest | None:
        """Keep a draft; `None` when there are enough."""

    async def change(self, tenant_id: str, test_id: UUID, decide: Decide) -> KeptTest | None:
        """Change a test; `None` when there is none."""


class Experimenting:
    """Tests of one tenant at a time; `changed` hears of each, so that it holds here at once."""

    def __init__(
        self,
        store: Store,
        changed: Callable[[KeptTest], None],
        now: Clock,
        new_id: Callable[[], UUID],
    ) -> None:
        self._store = store
        self._changed = changed
        self._now = now
        self._new_id = new_id

    async def add(self, tenant_id: str, config: ExperimentConfig, actor: str) -> dict[str, Any]:
        """Keep a draft."""
        _check_begin(config, self._now)
        values = [self._new_id(), config.key, config.model_dump_json(), actor]
        made = await self._store.add(tenant_id, values, MOST_TESTS)
        if made is None:
            message = f"at most {MOST_TESTS} tests are open; stop one, or rewrite a draft"
            raise wrong_field("", message)
        return self._told(made)

    async def change(
        self, tenant_id: str, test_id: UUID, changes: Changes, actor: str
    ) -> dict[str, Any]:
        """Rewrite a draft, or change what may be changed of a test that has begun."""

        def decide(test: KeptTest, others: Sequence[KeptTest]) -> tuple[KeptTest, Step | None]:
            config = changed_config(test.config, changes)
            if test.state is State.DRAFT:
                _check_begin(config, self._now)
                return replace(test, config=config), None
            if test.state in ENDED:
                raise NotNowError("The test has ended; make a new one with a key of its own.")
            check_fixed(test.config, config)
            return self._reshaped(test, config, others, actor)

        return await self._changed_by(tenant_id, test_id, decide)

    async def act(
        self, tenant_id: str, test_id: UUID, action: Action, note: str, actor: str
    ) -> dict[str, Any]:
        """Start, pause or stop a test."""

        def decide(test: KeptTest, others: Sequence[KeptTest]) -> tuple[KeptTest, Step | None]:
            at, after = self._now(), step(test.state, action)
            if action is Action.START:
                check_group(test, others)
            changed = replace(test, state=after, ended_at=at if after in ENDED else None)
            if test.state is State.DRAFT:
                epoch = first_epoch(test.config, str(test.test_id), _held(others), at)
                changed = replace(changed, epochs=(epoch,), started_at=at)
            reason = note or SAID[test.state, action]
            return changed, step_of(changed, self._new_id(), at, actor, reason)

        return await self._changed_by(tenant_id, test_id, decide)

    def _reshaped(
        self, test: KeptTest, config: ExperimentConfig, others: Sequence[KeptTest], actor: str
    ) -> tuple[KeptTest, Step | None]:
        before = test.config
        if (config.weights, config.traffic) == (before.weights, before.traffic):
            return replace(test, config=config), None
        at = self._now()
        epoch = next_epoch(config, test.epochs, str(test.test_id), _held(others), at)
        changed = replace(test, config=config, epochs=(*test.epochs, epoch))
        shares = ", ".join(f"{key} {weight:.4g}" for key, weight in config.weights.items())
        reason = f"From now on: weights {shares}; traffic {config.traffic:.4g}."
        return changed, step_of(changed, self._new_id(), at, actor, reason)

    async def _changed_by(self, tenant_id: str, test_id: UUID, decide: Decide) -> dict[str, Any]:
        try:
            changed = await self._store.change(tenant_id, test_id, decide)
        except NotNowError as error:
            raise Problem("conflict", str(error)) from error
        except NobodyError as error:
            raise wrong_field(error.field, str(error)) from error
        if changed is None:
            raise no_test(test_id)
        return self._told(changed)

    def _told(self, test: KeptTest) -> dict[str, Any]:
        # What the results say is out of date at once in a copy, and nobody is served by it.
        self._changed(replace(test, leader=None, verdict=None))
        return test_view(test)


def no_test(test_id: UUID) -> Problem:
    """The 404 of a test."""
    return Problem("not-found", f"There is no A/B test {test_id}.")


def _check_begin(config: ExperimentConfig, now: Clock) -> None:
    """Whether a test could start with these weights, if nobody else were there."""
    try:
        first_epoch(config, "", (), now())
    except NobodyError as error:
        raise wrong_field(error.field, str(error)) from error


def _held(others: Sequence[KeptTest]) -> list[tuple[int, int]]:
    return [place for other in others for place in other.epochs[-1].places]
