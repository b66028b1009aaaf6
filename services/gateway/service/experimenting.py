"""What people do with A/B tests: make, change, start, pause, stop."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from services.gateway.domain.experiments import (
    Changes,
    KeptTest,
    changed_config,
    check_fixed,
    check_group,
    test_view,
)
from services.gateway.domain.problems import Problem, wrong_field
from services.gateway.domain.steps import Around, Deed, Step, step_of
from shared.clock import Clock
from shared.experiments.config import ExperimentConfig
from shared.experiments.epochs import NobodyError, first_epoch, next_epoch, next_instant
from shared.experiments.lifecycle import ENDED, Action, NotNowError, State, step

MOST_TESTS = 200

Decide = Callable[[KeptTest, Around], tuple[KeptTest, Step | None]]
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

        def decide(test: KeptTest, around: Around) -> tuple[KeptTest, Step | None]:
            config = changed_config(test.config, changes)
            if test.state is State.DRAFT:
                _check_begin(config, self._now)
                return replace(test, config=config), None
            if test.state in ENDED:
                raise NotNowError("The test has ended; make a new one with a key of its own.")
            check_fixed(test.config, config)
            return self._reshaped(test, config, around, actor)

        return await self._changed_by(tenant_id, test_id, decide)

    async def act(
        self, tenant_id: str, test_id: UUID, action: Action, note: str, actor: str
    ) -> dict[str, Any]:
        """Start, pause or stop a test."""

        def decide(test: KeptTest, around: Around) -> tuple[KeptTest, Step | None]:
            at, after = self._instant(test, around), step(test.state, action)
            if action is Action.START:
                check_group(test, around.others)
            changed = replace(test, state=after, ended_at=at if after in ENDED else None)
            if test.state is State.DRAFT:
                epoch = first_epoch(test.config, str(test.test_id), around.held, at)
                changed = replace(changed, epochs=(epoch,), started_at=at)
            deed = Deed(self._new_id(), at, actor, note or SAID[test.state, action])
            return changed, step_of(changed, deed, around.results)

        return await self._changed_by(tenant_id, test_id, decide)

    def _reshaped(
        self, test: KeptTest, config: ExperimentConfig, around: Around, actor: str
    ) -> tuple[KeptTest, Step | None]:
        before = test.config
        if (config.weights, config.traffic) == (before.weights, before.traffic):
            return replace(test, config=config), None
        at = self._instant(test, around)
        epoch = next_epoch(config, test.epochs, str(test.test_id), around.held, at)
        changed = replace(test, config=config, epochs=(*test.epochs, epoch))
        shares = ", ".join(f"{key} {weight:.4g}" for key, weight in config.weights.items())
        reason = f"From now on: weights {shares}; traffic {config.traffic:.4g}."
        deed = Deed(self._new_id(), at, actor, reason)
        return changed, step_of(changed, deed, around.results)

    def _instant(self, test: KeptTest, around: Around) -> datetime:
        """When a change holds from, by our clock and after all that others' clocks have said."""
        return next_instant(self._now(), around.last_step, test.epochs)

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
