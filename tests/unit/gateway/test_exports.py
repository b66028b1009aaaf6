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


async def untold(*_: Any) -> None:
    """Nobody keeps an audit log here."""


WITHIN_S = 60.0


class Reader:
    """Keeps what it is sent; says that all the time is over whenever somebody asks."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.sent: list[Any] = []
        loop = asyncio.get_running_loop()
        real, self._skipped_s = loop.time, 0.0
        patch.setattr(loop, "time", lambda: real() + self._skipped_s)

    async def __call__(self, message: Any) -> None:
        self.sent.append(message)

    def skip(self) -> None:
        """The loop's clock is put forward: nobody has to wait, and nothing is a matter of speed."""
        self._skipped_s += WITHIN_S


class Rows:
    """Two rows; or rows without an end, whose time is over once some were sent."""

    def __init__(self, reader: Reader, *, is_endless: bool) -> None:
        self._reader, self._is_endless = reader, is_endless

    @asynccontextmanager
    async def opened(self, *_: Any) -> AsyncIterator[AsyncIterator[Sequence[TrainingRow]]]:
        async def portions() -> AsyncIterator[Sequence[TrainingRow]]:
            yield [made(1, output="Write to max@example.com.", has_pii=True), made(2)]
            while self._is_endless:
                if self._reader.sent:
                    self._reader.skip()
                await asyncio.sleep(0)
                yield [made(3)]

        yield portions()


@pytest.mark.parametrize("is_whole", [True, False])
async def test_an_export_that_takes_too_long_is_broken_off_and_logged(
    monkeypatch: pytest.MonkeyPatch, *, is_whole: bool
) -> None:
    reader = Reader(monkeypatch)
    rows = Rows(reader, is_endless=not is_whole)
    exporting = Exporting(rows, None, untold, 4, WITHIN_S)  # type: ignore[arg-type]
    wanted = Wanted(RowFilters(), None, "rows", "jsonl", True)
    response = FileResponse(exporting.opened("acme", wanted, "key:one"), exporting.within_s)
    with capture_logs() as logged:
        await response({"type": "http", "http_version": "1.1"}, asyncio.Event().wait, reader)  # type: ignore[arg-type]
    assert (reader.sent[-1].get("more_body") is False) == is_whole
    (told,) = [one for one in logged if one["event"] == "exported"]
    assert (told["tenant"], told["actor"], told["whole"]) == ("acme", "key:one", is_whole)
    assert told["redacted"] == {"EMAIL": 1}
    assert told["skipped"] == {}
