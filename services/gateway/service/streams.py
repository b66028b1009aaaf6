"""Streams of changes: one look at the stores per tenant, shared by all who listen to it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, Protocol

import structlog

from services.gateway.domain.problems import AwayError, Problem
from services.gateway.domain.stream import (
    AWAY,
    Board,
    Event,
    Kind,
    Pending,
    StreamBounds,
    Told,
    Version,
    Wanted,
    model_told,
)
from shared.tasks import end

STORE: Final[Mapping[Kind, str]] = {
    Kind.METRICS: "redis",
    Kind.ALERTS: "postgres",
    Kind.VERDICTS: "postgres",
}
LOOK_EVERY_S = 2.0
LOOK_WITHIN_S = 8.0
COME_BACK_S = 10

log = structlog.get_logger()


class Views(Protocol):
    """Views that are kept ready."""

    async def models(self, tenant_id: str) -> dict[str, Any]:
        """Lines of the list of models."""


class Stored(Protocol):
    """The system of record."""

    async def changed(
        self, tenant_id: str, alerts: Mapping[str, Version], verdicts: Mapping[str, Version]
    ) -> list[Told]:
        """Alerts and tests of which another version was seen, or none."""


class Listener:
    """One reader, and what waits for it."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.ended: str | None = None
        self._pending = Pending()
        self._news, self._is_over = asyncio.Event(), asyncio.Event()
        self._is_greeted = False

    def greet(self, board: Board, away: Collection[str]) -> None:
        """Begin with all that holds; from now on it hears of changes."""
        self._is_greeted = True
        if away:
            self.tell_away(away)
        self.tell(board.all())

    def tell(self, changed: Collection[Told]) -> None:
        """Let these wait for it."""
        for told in changed:
            if self._is_greeted and self.wanted.takes(told):
                self._pending.put(told.event)
        self._notice()

    def tell_away(self, stores: Collection[str]) -> None:
        """Which stores do not answer; none when all are back."""
        if self._is_greeted:
            self._pending.put(Event((AWAY, ""), AWAY, {"stores": sorted(stores)}))
        self._notice()

    def end(self, why: str) -> None:
        """Have it end now, for a reason that its reader is told."""
        self.ended = self.ended or why
        self._news.set()
        self._is_over.set()

    def take(self, most: int) -> list[Event]:
        """What waits, oldest first."""
        taken = self._pending.take(most)
        if not self._pending and self.ended is None:
            self._news.clear()
        return taken

    async def news(self, within_s: float) -> None:
        """Return when there is something, or when the time is over."""
        await _happened(self._news, within_s)

    async def over(self, within_s: float) -> None:
        """Return when it is to end, or when the time is over."""
        await _happened(self._is_over, within_s)

    def _notice(self) -> None:
        if self._pending:
            self._news.set()


class Streams:
    """All streams of this process."""

    def __init__(
        self,
        views: Views,
        stored: Stored,
        bounds: StreamBounds,
        every_s: float = LOOK_EVERY_S,
    ) -> None:
        self.bounds = bounds
        self._views, self._stored, self._every_s = views, stored, every_s
        self._feeds: dict[str, _Feed] = {}
        self._is_over = False

    @asynccontextmanager
    async def opened(self, tenant_id: str, wanted: Wanted) -> AsyncIterator[Listener]:
        """A listener that waits for what holds; raises a problem when there are too many."""
        self._refuse_more(tenant_id)
        feed = self._feeds.get(tenant_id)
        if feed is None:
            feed = self._feeds[tenant_id] = _Feed(tenant_id, self._views, self._stored)
            feed.looking = asyncio.ensure_future(feed.look_on(self._every_s))
        listener = Listener(wanted)
        feed.listeners.add(listener)
        try:
            await feed.has_looked.wait()
            _refuse_nothing(wanted, feed.away)
            listener.greet(feed.board, feed.away)
            yield listener
        finally:
            feed.listeners.discard(listener)
            if not feed.listeners:
                del self._feeds[tenant_id]
                await end([feed.looking])

    def end(self) -> None:
        """End all, as the process is about to; nobody comes in any more."""
        self._is_over = True
        for feed in self._feeds.values():
            feed.has_looked.set()
            for listener in feed.listeners:
                listener.end("shutdown")

    def _refuse_more(self, tenant_id: str) -> None:
        later = {"Retry-After": str(COME_BACK_S)}
        if self._is_over:
            raise Problem("overloaded", "This gateway is about to stop.", headers=later)
        feed = self._feeds.get(tenant_id)
        if feed is not None and len(feed.listeners) >= self.bounds.most_of_tenant:
            detail = f"The tenant has {self.bounds.most_of_tenant} streams here; end one of them."
            raise Problem("too-many-requests", detail, headers=later)
        if sum(len(one.listeners) for one in self._feeds.values()) >= self.bounds.most:
            detail = "There are as many streams as there may be; come back when some have ended."
            raise Problem("overloaded", detail, headers=later)


class _Feed:
    """One tenant's: looks as long as somebody listens."""

    looking: asyncio.Future[None]

    def __init__(self, tenant_id: str, views: Views, stored: Stored) -> None:
        self.board, self.listeners = Board(), set[Listener]()
        self.away: frozenset[str] = frozenset()
        self.has_looked = asyncio.Event()
        self._tenant_id, self._views, self._stored = tenant_id, views, stored

    async def look_on(self, every_s: float) -> None:
        while True:
            await self._look()
            self.has_looked.set()
            await asyncio.sleep(every_s)

    async def _look(self) -> None:
        parts = {"redis": self._metrics, "postgres": self._rows}
        answers = await asyncio.gather(*(_asked(name, ask) for name, ask in parts.items()))
        away = frozenset(
            name for name, is_there in zip(parts, answers, strict=True) if not is_there
        )
        if away != self.away:
            self.away = away
            for listener in self.listeners:
                listener.tell_away(away)

    async def _metrics(self) -> None:
        lines = await self._views.models(self._tenant_id)
        self._tell(
            self.board.put_all(Kind.METRICS, [model_told(lines[name]) for name in sorted(lines)])
        )

    async def _rows(self) -> None:
        seen = self.board.versions(Kind.ALERTS), self.board.versions(Kind.VERDICTS)
        self._tell(self.board.put(await self._stored.changed(self._tenant_id, *seen)))

    def _tell(self, changed: Collection[Told]) -> None:
        if changed:
            for listener in self.listeners:
                listener.tell(changed)


def _refuse_nothing(wanted: Wanted, away: Collection[str]) -> None:
    """A stream that could tell of nothing at all does not begin."""
    stores = sorted({STORE[kind] for kind in wanted.kinds})
    if stores and all(name in away for name in stores):
        raise AwayError(stores[0])


async def _happened(event: asyncio.Event, within_s: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            await event.wait()


async def _asked(store: str, ask: Callable[[], Any]) -> bool:
    """Whether a store answered; what else goes wrong with one must not end the looking."""
    try:
        async with asyncio.timeout(LOOK_WITHIN_S):
            await ask()
    except (AwayError, TimeoutError):
        return False
    except Exception as error:
        log.warning("stream_look_failed", store=store, kind=type(error).__name__)
        return False
    return True
