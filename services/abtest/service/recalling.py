"""Reads what was before tests, in steps that disturb nobody."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Protocol
from uuid import UUID

import structlog

FIRST_SLICE = timedelta(minutes=1)
SMALLEST_SLICE = timedelta(seconds=1)
LARGEST_SLICE = timedelta(days=1)
SHORT_S, LONG_S = 0.25, 1.0
FAILED_AGAIN_AFTER_S = 30.0

Key = tuple[str, UUID]

log = structlog.get_logger()


class Store(Protocol):
    """The pasts of tests."""

    async def unfinished(self) -> Sequence[Key]:
        """Tests whose past is not complete."""

    async def advance(self, key: Key, slice_of: timedelta) -> bool | None:
        """One step with one test: whether it was done; `None` when the slice was too large."""


class Recalling:
    """One step at a time, with the first test that lets itself be moved on."""

    def __init__(self, store: Store, monotonic: Callable[[], float]) -> None:
        self._store = store
        self._monotonic = monotonic
        self._slices: dict[Key, timedelta] = {}
        """By test: how quiet one's days were says nothing of another's."""
        self._not_before: dict[Key, float] = {}

    async def step(self) -> bool:
        """One step; answers whether there may be more to do at once."""
        keys = await self._store.unfinished()
        self._slices = {key: self._slices[key] for key in keys if key in self._slices}
        for key in keys:
            if self._not_before.get(key, 0.0) <= self._monotonic() and await self._try(key):
                return True
        return False

    async def _try(self, key: Key) -> bool:
        """One test that cannot be moved on holds up no other."""
        self._not_before.pop(key, None)
        started = self._monotonic()
        try:
            done = await self._store.advance(key, self._slices.get(key, FIRST_SLICE))
        except OSError:
            raise  # the store is away: all wait
        except Exception as error:
            log.exception("past_failed", test_id=str(key[1]), why=repr(error)[:300])
            self._not_before[key] = self._monotonic() + FAILED_AGAIN_AFTER_S
            return False
        self._fit(key, self._monotonic() - started, is_too_large=done is None)
        return done is not False

    def _fit(self, key: Key, took_s: float, *, is_too_large: bool) -> None:
        """Slices that take about half a second, however busy those days were."""
        tried = self._slices.get(key, FIRST_SLICE)
        if is_too_large or took_s > LONG_S:
            self._slices[key] = max(SMALLEST_SLICE, tried / 2)
        elif took_s < SHORT_S:
            self._slices[key] = min(LARGEST_SLICE, tried * 2)
