"""Exports end in time, and what became of each is logged."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from services.gateway.domain.exporting import Wanted
from services.gateway.routes.streaming import FileResponse
from services.gateway.service.exporting import Exporting
from shared.training.filters import RowFilters
from shared.training.row import TrainingRow
from tests.unit.training.made import made


class Rows:
    """Rows without an end, or two of them."""

    def __init__(self, *, is_endless: bool) -> None:
        self._is_endless = is_endless

    @asynccontextmanager
    async def opened(self, *_: Any) -> AsyncIterator[AsyncIterator[Sequence[TrainingRow]]]:
        async def portions() -> AsyncIterator[Sequence[TrainingRow]]:
            yield [made(1, output="Write to max@example.com.", has_pii=True), made(2)]
            while self._is_endless:
                await asyncio.sleep(0)
                yield [made(3)]

        yield portions()


@pytest.mark.parametrize("is_whole", [True, False])
async def test_an_export_that_takes_too_long_is_broken_off_and_logged(*, is_whole: bool) -> None:
    within_s = 60 if is_whole else 0.05
    exporting = Exporting(Rows(is_endless=not is_whole), None, 4, within_s)  # type: ignore[arg-type]
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    wanted = Wanted(RowFilters(), None, "rows", "jsonl", True)
    response = FileResponse(exporting.opened("acme", wanted, "key:one"), exporting.within_s)
    with capture_logs() as logged:
        await response({"type": "http", "http_version": "1.1"}, asyncio.Event().wait, send)  # type: ignore[arg-type]
    assert (sent[-1].get("more_body") is False) == is_whole
    (told,) = [one for one in logged if one["event"] == "exported"]
    assert (told["tenant"], told["actor"], told["whole"]) == ("acme", "key:one", is_whole)
    assert told["redacted"] == {"EMAIL": 1}
    assert told["skipped"] == {}
