"""What was looked up is remembered for a short while, and longer while the store is away."""

from collections.abc import Awaitable, Callable
from typing import Generic, NamedTuple, TypeVar

from services.gateway.domain.problems import AwayError
from shared import clock

FRESH_S = 20.0  # a revoked key works at most this long
FRESH_UNKNOWN_S = 2.0
# While Postgres is away, known keys go on for so long.
STALE_S = 600.0
MOST = 10_000

T = TypeVar("T")


class _Found(NamedTuple, Generic[T]):
    what: T | None
    at: float


class Remembered(Generic[T]):
    """Answers of one look-up by name; `None` where there is nothing."""

    def __init__(self, look_up: Callable[[str], Awaitable[T | None]]) -> None:
        self._look_up = look_up
        self._found: dict[str, _Found[T]] = {}
        # Apart: whoever makes up names must not drive out what is known.
        self._missing: dict[str, _Found[T]] = {}
        self._asking: dict[str, object] = {}

    async def find(self, name: str) -> T | None:
        """What there is by that name; raises `AwayError` when that cannot be known."""
        known = self._found.get(name) or self._missing.get(name)
        age_s = clock.monotonic() - known.at if known else STALE_S
        if known and age_s < (FRESH_UNKNOWN_S if known.what is None else FRESH_S):
            return known.what
        # Of before it was asked: what changes meanwhile must not be remembered for longer.
        asked_at = clock.monotonic()
        asking = self._asking[name] = object()
        try:
            what = await self._look_up(name)
            if self._asking.get(name) is asking:
                self._keep(name, _Found(what, asked_at))
        except AwayError:
            if known and known.what is not None and age_s < STALE_S:
                return known.what
            raise
        finally:
            if self._asking.get(name) is asking:
                del self._asking[name]
        return what

    def forget(self, name: str) -> None:
        """Look it up anew when it is next asked for; an answer under way is not remembered."""
        for memory in (self._found, self._missing, self._asking):
            memory.pop(name, None)

    def _keep(self, name: str, found: _Found[T]) -> None:
        kept, other = self._found, self._missing
        if found.what is None:
            kept, other = other, kept
        for memory in (kept, other):
            memory.pop(name, None)
        if len(kept) >= MOST:
            del kept[next(iter(kept))]
        kept[name] = found
