"""Looks at the audit chain of a tenant, and writes all heads down outside the database."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from datetime import datetime
from typing import Any, Protocol

import structlog

from services.gateway.domain.problems import Problem
from services.gateway.service.tried import tried
from shared.audit.anchors import anchors_of
from shared.audit.chain import Anchor, Head, Row, Verifier
from shared.audit.keys import Keys

ANCHOR_EVERY_S = 300.0
MOST_VERIFICATIONS = 2
COME_BACK_S = 30

log = structlog.get_logger()


class Opened(Protocol):
    """A whole chain as of an instant."""

    @property
    def as_of(self) -> datetime: ...

    @property
    def head(self) -> Head | None: ...

    @property
    def portions(self) -> AsyncIterator[Sequence[Row]]: ...


class Store(Protocol):
    """Where chains are kept."""

    def opened(self, tenant_id: str) -> AbstractAsyncContextManager[Opened]:
        """All of a chain."""

    async def heads(self) -> Sequence[Anchor]:
        """Where the chains of all tenants end."""


class Appending(Protocol):
    """A file of anchors, while nobody else appends to it."""

    def append(self, heads: Sequence[Anchor]) -> int:
        """Add those that are new."""


class AnchorFile(Protocol):
    """A file of anchors."""

    def locked(self) -> AbstractContextManager[Appending]:
        """Keep others from appending."""


class Anchoring:
    """Writes heads down every five minutes, while the process lives."""

    def __init__(self, store: Store, file: AnchorFile | None, now: Callable[[], datetime]) -> None:
        self._store = store
        self._file = file
        self._now = now
        self.anchored_at: datetime | None = None

    @property
    def enabled(self) -> bool:
        """Whether there is a file to write to."""
        return self._file is not None

    async def run(self) -> None:
        """Anchor for ever; what is away makes it wait for the next time."""
        if self._file is None:
            log.warning("audit_not_anchored", meaning="a cut tail of the audit log can go unseen")
            return
        while True:
            # It fails on a file that was touched, or on a disk that is full.
            await tried(self.anchor, "audit_anchor_failed")
            await asyncio.sleep(ANCHOR_EVERY_S)

    async def anchor(self) -> int:
        """Write down heads that changed; answers how many."""
        assert self._file is not None  # noqa: S101 - asked for where there is a file only
        locked = self._file.locked()
        appending = await asyncio.to_thread(locked.__enter__)
        try:
            # Read under the lock: heads in the file then never go backwards by themselves.
            heads = await self._store.heads()
            written = await asyncio.to_thread(appending.append, heads)
        finally:
            await asyncio.to_thread(locked.__exit__, None, None, None)
        self.anchored_at = self._now()
        return written


class Auditing:
    """Verifies chains, a few at a time."""

    def __init__(
        self,
        store: Store,
        keys: Keys,
        anchoring: Anchoring,
        lines: Callable[[], Iterator[bytes]],
    ) -> None:
        """`lines` are those of the anchor file."""
        self._store = store
        self._keys = keys
        self._anchoring = anchoring
        self._lines = lines
        self._under_way: set[str] = set()
        """Tenants: one of them alone takes no place from the others."""

    async def verify(self, tenant_id: str) -> dict[str, Any]:
        """Whether a chain is whole, and where it is first broken."""
        if tenant_id in self._under_way or len(self._under_way) >= MOST_VERIFICATIONS:
            said = "As many chains as may be are being verified; come back when one is done."
            raise Problem("overloaded", said, headers={"Retry-After": str(COME_BACK_S)})
        self._under_way.add(tenant_id)
        try:
            return await self._verify(tenant_id)
        finally:
            self._under_way.remove(tenant_id)

    async def _verify(self, tenant_id: str) -> dict[str, Any]:
        async with self._store.opened(tenant_id) as chain:
            # Hashes and the anchor file in a thread: whoever asks for anything else goes on.
            anchors = anchors_of(tenant_id, self._lines(), self._keys)
            verifier = await asyncio.to_thread(Verifier, tenant_id, self._keys, anchors)
            async for rows in chain.portions:
                await asyncio.to_thread(_add, verifier, rows)
            verdict = await asyncio.to_thread(verifier.end, chain.head, chain.as_of)
        head = verdict.head
        return {
            "valid": verdict.whole,
            "as_of": chain.as_of,
            "entries": verdict.rows,
            "first_bad": verdict.first_broken,
            "why": verdict.why,
            "head": head and {"seq": head.sequence, "hash": head.row_hash.hex()},
            "anchors": {
                "enabled": self._anchoring.enabled,
                "compared": verdict.anchors,
                "anchored_at": self._anchoring.anchored_at,
            },
        }


def _add(verifier: Verifier, rows: Sequence[Row]) -> None:
    for row in rows:
        verifier.add(row)
