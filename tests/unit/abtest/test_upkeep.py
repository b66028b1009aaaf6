"""What abtest keeps of tests, and what it does by the clock."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.abtest.domain.timeline import running_spans
from services.abtest.store import known
from services.abtest.store.known import KnownTests
from services.abtest.ticker import (
    MISSED_AT_MOST,
    MISSED_WITHIN,
    ROUNDS_BETWEEN,
    WAITS_FOR,
    Ticker,
)
from tests.support.abtest import TEST_ID, at, live


class Changing:
    """Postgres, in which a test is paused between two reads."""

    def __init__(self) -> None:
        self.version, self.reads = 1, 0

    async def versions(self, *_: Any) -> list[tuple[str, UUID, datetime]]:
        return [("acme", TEST_ID, at(self.version))]

    async def steps(self, *_: Any) -> dict[tuple[str, UUID], list[tuple[datetime, str]]]:
        found = [(at(0), "running"), (at(2), "paused")][: self.version]
        self._read()
        return {("acme", TEST_ID): found}

    async def bodies(self, *_: Any) -> list[dict[str, Any]]:
        row = {"tenant_id": "acme", "test_id": TEST_ID, "updated_at": at(self.version)}
        self._read()
        return [row]

    def _read(self) -> None:
        self.reads += 1
        self.version = 2 if self.reads == 1 else self.version


async def test_a_test_that_changes_between_two_reads_is_read_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = Changing()
    monkeypatch.setattr(known, "queries", store)
    monkeypatch.setattr(known, "live_test", lambda _, steps: live(spans=running_spans(steps)))
    tests = KnownTests()
    connection: Any = None
    await tests.of(connection, ["acme"], at(0))
    found = await tests.of(connection, ["acme"], at(0))
    assert not found["acme"][TEST_ID].ran_at(at(3)), "it was paused an hour before"


class Waiting:
    """Feedback that waits: two portions of it for long."""

    def __init__(self, rounds: int = 5) -> None:
        self.asked: list[timedelta] = []
        self._rounds = rounds

    async def join_missed(self, within: timedelta, most: int) -> int:
        self.asked.append(within)
        if len(self.asked) >= self._rounds:
            raise asyncio.CancelledError
        return most if len(self.asked) < 3 else 0

    async def waiting(self) -> int:
        return 0


async def test_the_first_look_is_at_all_that_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.abtest.ticker.JOIN_EVERY_S", 0.0)
    waiting = Waiting()
    nothing: Any = None
    ticker = Ticker(waiting, nothing, nothing, nothing)
    with pytest.raises(asyncio.CancelledError):
        await ticker.join()
    assert waiting.asked == [WAITS_FOR] * 3 + [MISSED_WITHIN] * 2


async def test_what_a_long_transaction_missed_is_found_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.abtest.ticker.JOIN_EVERY_S", 0.0)
    waiting = Waiting(ROUNDS_BETWEEN + 4)
    nothing: Any = None
    with pytest.raises(asyncio.CancelledError):
        await Ticker(waiting, nothing, nothing, nothing).join()
    assert waiting.asked.count(MISSED_AT_MOST) == 1
