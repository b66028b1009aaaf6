"""Exports of training rows: a few at a time, each as of one instant."""

import asyncio
from collections import Counter
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterator,
    Sequence,
)
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, contextmanager
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import structlog

from services.gateway.domain.audit import of_export
from services.gateway.domain.datasets import no_dataset
from services.gateway.domain.exporting import Wanted, check, check_frozen, file_name, not_here
from services.gateway.domain.problems import Problem
from shared.audit.chain import Entry
from shared.training.errors import MissingExtraError
from shared.training.export import Choice, export
from shared.training.formats import parquet
from shared.training.formats.choice import FILE_TYPES
from shared.training.redaction import PatternRedactor
from shared.training.report import Report
from shared.training.row import TrainingRow

COME_BACK_S = 30

log = structlog.get_logger()


class Rows(Protocol):
    """Where rows come from."""

    def opened(
        self, tenant_id: str, wanted: Wanted
    ) -> AbstractAsyncContextManager[AsyncIterator[Sequence[TrainingRow]]]:
        """Portions of what is wanted, in the order of the file."""


class Datasets(Protocol):
    """Where datasets are kept."""

    async def dataset(self, tenant_id: str, dataset_id: UUID) -> Any:
        """One of them, or `None`."""


Reads = Callable[[str, Entry], Awaitable[None]]
"""Tells the audit log that somebody of a tenant is about to read."""


class File(NamedTuple):
    """A file on its way."""

    name: str
    content_type: str
    chunks: AsyncIterator[bytes]


class Exporting:
    """At most so many files under way at once, none of which may take longer than `within_s`."""

    def __init__(
        self, rows: Rows, datasets: Datasets, reads: Reads, most: int, within_s: float
    ) -> None:
        self._rows = rows
        self._datasets = datasets
        self._reads = reads
        self._most = most
        self.within_s = within_s
        self._under_way: Counter[str] = Counter()
        """Files by tenant."""

    @asynccontextmanager
    async def opened(self, tenant_id: str, wanted: Wanted, actor: str) -> AsyncIterator[File]:
        """The file that is wanted; raises a problem for whatever can be known beforehand.

        What it held, skipped and hid is logged, also of a file that was broken off.
        """
        check(wanted)
        with self._turn(tenant_id):
            dataset = await self._dataset(tenant_id, wanted.dataset_id)
            await _prepare(wanted)
            await self._reads(tenant_id, of_export(wanted))
            report, kind = Report(), FILE_TYPES[wanted.format]
            is_whole = False
            try:
                async with (
                    self._rows.opened(tenant_id, wanted) as portions,
                    aclosing(_chunks(portions, wanted, report)) as chunks,
                ):
                    yield File(file_name(wanted, dataset), kind.content_type, chunks)
                is_whole = True
            finally:
                asked = {"shape": wanted.shape, "format": wanted.format, "whole": is_whole}
                log.info("exported", tenant=tenant_id, actor=actor, **asked, **told(report))

    async def report(self, tenant_id: str, wanted: Wanted) -> dict[str, Any]:
        """What the file would hold, skip and hide: made as the file is, and not sent."""
        check(wanted)
        with self._turn(tenant_id):
            await self._dataset(tenant_id, wanted.dataset_id)
            await _prepare(wanted)
            report = Report()
            async with (
                self._rows.opened(tenant_id, wanted) as portions,
                aclosing(_chunks(portions, wanted, report)) as chunks,
            ):
                async for _ in chunks:
                    pass
        return {"shape": wanted.shape, "format": wanted.format, **told(report)}

    async def _dataset(self, tenant_id: str, dataset_id: UUID | None) -> Any:
        if dataset_id is None:
            return None
        found = await self._datasets.dataset(tenant_id, dataset_id)
        if found is None:
            raise no_dataset(dataset_id)
        check_frozen(found)
        return found

    @contextmanager
    def _turn(self, tenant_id: str) -> Iterator[None]:
        # One tenant leaves half of the places to the others.
        is_full = self._under_way.total() >= self._most
        if is_full or self._under_way[tenant_id] >= (self._most + 1) // 2:
            said = "As many exports as there may be are under way; come back when one has ended."
            raise Problem("overloaded", said, headers={"Retry-After": str(COME_BACK_S)})
        self._under_way[tenant_id] += 1
        try:
            yield
        finally:
            self._under_way[tenant_id] -= 1
            self._under_way += Counter()  # forgets those who have none


async def _prepare(wanted: Wanted) -> None:
    """Have what the format needs, before anything is read."""
    if wanted.format == "parquet":
        try:
            await asyncio.to_thread(parquet.prepare)
        except MissingExtraError as error:
            raise not_here(error) from error


def _chunks(
    portions: AsyncIterator[Sequence[TrainingRow]], wanted: Wanted, report: Report
) -> AsyncGenerator[bytes, None]:
    redactor = PatternRedactor() if wanted.is_redacted else None
    choice = Choice(wanted.shape, wanted.format, wanted.filters.min_quality, redactor)
    return export(portions, choice, report)


def told(report: Report) -> dict[str, Any]:
    """Counts of a file."""
    return {
        "rows": report.rows,
        "records": report.records,
        "skipped": dict(report.skipped),
        "redacted": dict(report.redacted),
        "size_bytes": report.size_bytes,
        "sha256": report.sha256,
    }
