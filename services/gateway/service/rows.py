"""Answers questions by agent and by release, from the stored operations themselves."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from pydantic_core import to_json

from services.gateway.domain.answers import Filters, metrics_answer, stamped
from services.gateway.domain.problems import TooManyError, wrong_field
from services.gateway.domain.slices import (
    MOST_S,
    by_window,
    ceil_minute,
    judged_windows,
    step_borders,
    step_start,
)
from services.gateway.service.stored import BookOf, Minutes, start_of, unknown_model
from shared.clock import Clock
from shared.keys import WINDOWS
from shared.measures.cells import MINUTE, Cell
from shared.measures.summary import summarise

TOO_LONG = "at most 24 hours can be asked by agent_id or release; take a shorter {}"
TOO_MANY = "so many operations cannot be summed in time; take a shorter {}"


class Rows(Protocol):
    """Rows in the system of record."""

    async def sums(
        self, tenant_id: str, model_id: str, filters: Filters, borders: Sequence[datetime]
    ) -> list[Cell]:
        """What happened between each two borders; raises `TooManyError`."""


class RowReading:
    """Metrics of whatever operations say, over a day at most."""

    def __init__(self, rows: Rows, minutes: Minutes, book_of: BookOf, now: Clock) -> None:
        self._rows = rows
        self._minutes = minutes
        self._book_of = book_of
        self._now = now

    async def metrics(self, tenant_id: str, model_id: str, window: str, filters: Filters) -> bytes:
        """The JSON of GET /ai/metrics/{model_id}."""
        if WINDOWS[window] > MOST_S:
            raise wrong_field("window", TOO_LONG.format("window"))
        now, windows = self._now(), judged_windows(window)
        # Clocks that are a little ahead count too, as in the minutes.
        end = ceil_minute(now + timedelta(seconds=MINUTE))
        borders = [*(start_of(name, now) for name in windows), end]
        try:
            slices = await self._sums(tenant_id, model_id, filters, borders)
        except TooManyError as error:
            raise wrong_field("window", TOO_MANY.format("window")) from error
        cells = by_window(windows, slices)
        limits = (await self._book_of(tenant_id, model_id)).of(tenant_id, model_id)
        span = start_of(window, now).timestamp(), now.timestamp()
        answer = metrics_answer(model_id, window, span, cells, limits, stale=False)
        return stamped(to_json(answer), int(now.timestamp() * 1000), now)

    async def series(
        self,
        tenant_id: str,
        model_id: str,
        span: tuple[datetime, datetime],
        step_s: int,
        filters: Filters,
    ) -> list[dict[str, Any]]:
        """Items of GET /ai/metrics/{model_id}/series: only steps in which something happened."""
        if span[1] - span[0] > timedelta(seconds=MOST_S):
            raise wrong_field("from", TOO_LONG.format("span between from and to"))
        borders = step_borders(span, step_s)
        try:
            slices = await self._sums(tenant_id, model_id, filters, borders)
        except TooManyError as error:
            raise wrong_field("from", TOO_MANY.format("span between from and to")) from error
        return [
            {"at": step_start(at, step_s), **summarise(cell, step_s).model_dump(mode="json")}
            for at, cell in zip(borders, slices, strict=False)
            if cell
        ]

    async def _sums(
        self, tenant_id: str, model_id: str, filters: Filters, borders: Sequence[datetime]
    ) -> list[Cell]:
        slices = await self._rows.sums(tenant_id, model_id, filters, borders) if borders else []
        if not any(slices) and not await self._minutes.model_exists(tenant_id, model_id):
            raise unknown_model(model_id)
        return slices
