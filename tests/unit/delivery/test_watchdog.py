"""When a process that looks alive is to be ended."""

import asyncio
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from shared.delivery.plan import Partition
from shared.delivery.watchdog import DEAD_LOOP_S, NO_PROGRESS_S, Watchdog
from tests.support.waiting import eventually

NOW = 1_000.0
WAITING = {Partition("ai.operations.v1", 0): 5}


def runner(**changes: Any) -> Any:
    fields: dict[str, Any] = {
        "lag": {},
        "progress_at": NOW,
        "lag_known_since": NOW,
        "waits_for_store_since": None,
    }
    return SimpleNamespace(**fields | changes)


def test_an_idle_process_lives_for_ever() -> None:
    assert Watchdog(runner(), lambda: True).diagnose(NOW + 1e6) is None


async def test_its_thread_ends_with_it() -> None:
    def watching() -> int:
        return sum(thread.name == "watchdog" for thread in threading.enumerate())

    before = watching()
    task = asyncio.ensure_future(Watchdog(runner(), lambda: True).run())
    await eventually(lambda: watching() == before + 1, why="the thread watches")
    task.cancel()
    await eventually(lambda: watching() == before, why="the thread has ended")


def test_a_dead_consume_loop_is_noticed() -> None:
    alive = [True]
    dog = Watchdog(runner(), lambda: alive[0])
    assert dog.diagnose(NOW) is None
    alive[0] = False
    assert dog.diagnose(NOW + DEAD_LOOP_S - 1) is None
    assert dog.diagnose(NOW + DEAD_LOOP_S + 1) == "the consume loop has ended"


@pytest.mark.parametrize(
    ("changes", "bites"),
    [
        pytest.param({"lag": WAITING}, True, id="records wait and nothing moves"),
        pytest.param({"lag": {Partition("t", 0): 0}}, False, id="nothing waits"),
        pytest.param(
            {"lag": WAITING, "waits_for_store_since": NOW}, False, id="the store is away, not us"
        ),
        pytest.param(
            {"lag": WAITING, "progress_at": NOW + 2 * NO_PROGRESS_S}, False, id="it moved just now"
        ),
    ],
)
def test_lag_without_progress(changes: dict[str, Any], bites: bool) -> None:
    dog = Watchdog(runner(**changes), lambda: True)
    assert (dog.diagnose(NOW + 2 * NO_PROGRESS_S) is not None) == bites
