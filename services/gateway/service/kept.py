"""Answers that take long to reckon: remembered for a while, and reckoned once for all who wait."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, NamedTuple

from shared import clock

MOST_OF_A_TENANT = 50
MOST_TENANTS = 500


class _Answer(NamedTuple):
    at: float
    content: dict[str, Any]


class Kept:
    """Answers of tenants, each beside its own only: nobody's questions drive out another's."""

    def __init__(self, for_s: float) -> None:
        self._for_s = for_s
        self._answers: dict[str, dict[Hashable, _Answer]] = {}
        self._turns: dict[str, asyncio.Lock] = {}

    async def get(
        self,
        tenant_id: str,
        key: Hashable,
        reckon: Callable[[], Awaitable[dict[str, Any]]],
        *,
        not_before: float = 0.0,
    ) -> dict[str, Any]:
        """An answer that still holds, else a new one; of a tenant one is reckoned at a time.

        `not_before` (monotonic seconds) asks for one that is no older.
        """
        async with self._turns.setdefault(tenant_id, asyncio.Lock()):
            mine = self._answers.setdefault(tenant_id, {})
            known = mine.get(key)
            oldest = max(not_before, clock.monotonic() - self._for_s)
            if known is None or known.at < oldest:
                started = clock.monotonic()
                known = _Answer(started, await reckon())
                self._put(mine, key, known)
            return known.content

    def _put(self, mine: dict[Hashable, _Answer], key: Hashable, answer: _Answer) -> None:
        for old in [one for one, kept in mine.items() if kept.at < answer.at - self._for_s]:
            del mine[old]
        if len(mine) >= MOST_OF_A_TENANT:
            del mine[min(mine, key=lambda one: mine[one].at)]
        mine[key] = answer
        if len(self._answers) > MOST_TENANTS:
            del self._answers[next(iter(self._answers))]
