"""Looks at tests that have changed, keeps what they say, and lets follow what is to follow.

All of one look is one transaction: results, the step that is told, and the state of the test. So a
verdict is told once, whoever dies when, and a gateway tells it from there.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol
from uuid import UUID

import structlog

from services.abtest.domain.memory import Memory
from services.abtest.domain.results import FORMULA_VERSION, results
from services.abtest.domain.state import TestState
from services.abtest.domain.steering import (
    Before,
    ChangedError,
    Due,
    PastStep,
    Step,
    is_news,
    next_step,
    wanted,
)
from shared.clock import Clock
from shared.experiments.results import ResultsAnswer

FAILED_AGAIN_AFTER_S = 30.0

log = structlog.get_logger()


class Look(Protocol):
    """A test of one instant, which nobody else looks at until this look ends."""

    @property
    def state(self) -> TestState:
        """What is known of it."""

    @property
    def before(self) -> Before:
        """What the look before left."""

    async def steps(self) -> Sequence[PastStep]:
        """Its history, oldest first; from now on nobody else changes the test."""

    async def take(self, step: Step, winner: str | None) -> None:
        """Keep a step that is to be told, and move the test where it leads."""

    async def keep(self, answer: ResultsAnswer, memory: Memory) -> None:
        """Put results in the place of those that were."""


class Store(Protocol):
    """Tests and their results."""

    async def due(self, formula_version: str) -> Sequence[Due]:
        """Tests that are to be looked at, those first that wait longest."""

    def looking(self, due: Due) -> AbstractAsyncContextManager[Look | None]:
        """One look; `None` when another process is at it, or was.

        Raises `ChangedError`, and `OSError` while the store is away.
        """


class Deciding:
    """Looks, one test after the other."""

    def __init__(self, store: Store, now: Clock, monotonic: Callable[[], float]) -> None:
        self._store = store
        self._now = now
        self._monotonic = monotonic
        self._not_before: dict[UUID, float] = {}
        """Tests that a look failed of: they must not fill the log."""

    async def look(self) -> None:
        """Look at every test that has changed."""
        for due in await self._store.due(FORMULA_VERSION):
            if self._not_before.get(due.test_id, 0.0) <= self._monotonic():
                await self._try(due)

    async def _try(self, due: Due) -> None:
        """One test that cannot be reckoned holds up no other, which may be another tenant's."""
        self._not_before.pop(due.test_id, None)
        try:
            await self._look_at(due)
        except ChangedError:
            log.info("look_deferred", test_id=str(due.test_id), why="changed meanwhile")
        except OSError:
            raise  # the store is away: all wait
        except Exception as error:
            log.exception("look_failed", test_id=str(due.test_id), why=repr(error)[:300])
            self._not_before[due.test_id] = self._monotonic() + FAILED_AGAIN_AFTER_S

    async def _look_at(self, due: Due) -> None:
        async with self._store.looking(due) as look:
            if look is None:
                return  # another process is at it, or was
            state, before = look.state, look.before
            at = state.last_event_at or state.started_at
            # Tens of milliseconds with many metrics; batches go on meanwhile.
            answer, memory = await asyncio.to_thread(results, state, before.memory, at)
            step = await self._step(look, answer)
            if step is not None:
                await look.take(step, answer.winner)
                answer = answer.model_copy(update={"state": step.state})
            await look.keep(answer, memory)
        if step is not None:
            self._say(due, answer, step.occurred_at)

    async def _step(self, look: Look, answer: ResultsAnswer) -> Step | None:
        state, before = look.state, look.before
        if wanted(state, answer) is state.state and not is_news(before, answer):
            return None
        return next_step(state, before, answer, await look.steps(), self._now())

    def _say(self, due: Due, answer: ResultsAnswer, at: datetime) -> None:
        log.info(
            "verdict",
            tenant_id=due.tenant_id,
            test_id=str(due.test_id),
            verdict=answer.verdict,
            state=answer.state.value,
            at=at.isoformat(),
        )
