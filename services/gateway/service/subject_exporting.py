"""Exports of a person's data: asked for, made behind the answers, and sent as a ZIP file."""

import asyncio
import zipfile
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from itertools import groupby
from typing import Any, Protocol
from uuid import UUID

from services.gateway.domain.erasures import ErasureRequest, needles
from services.gateway.domain.subject_exports import (
    AskedExport,
    SubjectExportRequest,
    asked_export,
    manifest,
)
from services.gateway.service.exporting import File
from services.gateway.service.tried import tried
from shared.clock import Clock
from shared.privacy.names import Names

LOOK_EVERY_S = 1.0
END_EVERY_S = 60.0
UNMADE = "subject_exports_not_made"


class Store(Protocol):
    """Where exports are kept."""

    async def add(
        self, tenant_id: str, asked: AskedExport, needles: Sequence[bytes], name: str
    ) -> dict[str, Any]:
        """Keep what is asked for."""

    async def reads(self, tenant_id: str, row: Any) -> Sequence[Any]:
        """Tell that an export is about to be read; answers its parts."""

    def bodies(
        self, tenant_id: str, export_id: UUID, parts: Sequence[Any]
    ) -> AsyncGenerator[bytes, None]:
        """Parts, one at a time."""

    async def step_all(self) -> bool:
        """A portion of each that is to be made."""

    async def end_old(self) -> bool:
        """A portion of the end of each whose time is over."""


class SubjectExporting:
    """What the gateway does for exports of a person's data. `described`: classes in their order."""

    def __init__(
        self,
        store: Store,
        names: Names,
        now: Clock,
        new_id: Callable[[], UUID],
        described: dict[str, str],
    ) -> None:
        self._store = store
        self._names = names
        self._now = now
        self._new_id = new_id
        self._described = described

    async def ask(self, tenant_id: str, request: SubjectExportRequest, who: str) -> dict[str, Any]:
        """Take a request in; the name is forgotten when this returns."""
        ids = (self._new_id(), who)
        kept = asked_export(request, tenant_id, self._names, ids, self._now())
        found = needles(ErasureRequest(user_id=request.user_id))
        return await self._store.add(tenant_id, kept, found, request.user_id)

    @asynccontextmanager
    async def opened(self, tenant_id: str, row: Any) -> AsyncIterator[File]:
        """The file of an export that is ready: made while it is sent, a part at a time."""
        parts = await self._store.reads(tenant_id, row)
        async with aclosing(self._zipped(tenant_id, row, parts)) as chunks:
            yield File(f"subject-export-{row['export_id']}.zip", "application/zip", chunks)

    async def _zipped(
        self, tenant_id: str, row: Any, parts: Sequence[Any]
    ) -> AsyncGenerator[bytes, None]:
        lines: Counter[str] = Counter()
        for part in parts:
            lines[part["class"]] += part["lines"]
        sink = _Sink()
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr("manifest.json", manifest(row, lines, self._described))
            for name, some in groupby(parts, lambda part: part["class"]):
                with file.open(f"{name}.jsonl", "w", force_zip64=True) as member:
                    bodies = self._store.bodies(tenant_id, row["export_id"], list(some))
                    async with aclosing(bodies):
                        async for body in bodies:
                            await asyncio.to_thread(member.write, body)
                            yield sink.taken()
        yield sink.taken()

    async def make(self) -> None:
        """Make exports for ever; what is away makes them wait."""
        while True:
            if not await tried(self._store.step_all, UNMADE, _kind):
                await asyncio.sleep(LOOK_EVERY_S)

    async def end(self) -> None:
        """Delete those whose time is over, for ever."""
        while True:
            if not await tried(self._store.end_old, UNMADE, _kind):
                await asyncio.sleep(END_EVERY_S)


class _Sink:
    """Takes what a ZIP file is made of, until somebody sends it."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []

    def write(self, chunk: bytes) -> int:
        self._chunks.append(bytes(chunk))
        return len(chunk)

    def flush(self) -> None:
        """Nothing waits here."""

    def close(self) -> None:
        """Nothing is held."""

    def taken(self) -> bytes:
        """What has come since the last time."""
        chunks, self._chunks = self._chunks, []
        return b"".join(chunks)


def _kind(error: BaseException) -> str:
    """Not its message, which may quote what is stored of somebody."""
    return type(error).__name__
