"""When a process that looks alive is to be ended."""

import asyncio
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from shared.delivery.plan import Partition
from shared.delivery.watchdog import DEAD_LOOP_S, DEAF_S, NO_PROGRESS_S, Watchdog
from tests.support.waiting import eventually

NOW = 1_000.0
WAITING = {Partition("ai.operations.v1", 0): 5}


def runner(**changes: Any) -> Any:
    fields: dict[str, Any] = {
        "lag": {},
        "progress_at": NOW,
        "lag_known_since": NOW,
        "waits_for_store_since": None,
        "waits_for_log_since": None,
        "assigned": lambda: set(WAITING),
    }
    return SimpleNamespace(**fields | changes)


async def answers(_: object) -> bool:
    return True


async def silent(_: object) -> bool:
    return False


def test_an_idle_process_lives_for_ever() -> None:
    assert Watchdog(runner(), lambda: True, answers).diagnose(NOW + 1e6) is None


async def test_its_thread_ends_with_it() -> None:
    def watching() -> int:
        return sum(thread.name == "watchdog" for thread in threading.enumerate())

    before = watching()
    task = asyncio.ensure_future(Watchdog(runner(), lambda: True, answers).run())
    await eventually(lambda: watching() == before + 1, why="the thread watches")
    task.cancel()
    await eventually(lambda: watching() == before, why="the thread has ended")


def test_a_dead_consume_loop_is_noticed() -> None:
    alive = [True]
    dog = Watchdog(runner(), lambda: alive[0], answers)
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
    dog = Watchdog(runner(**changes), lambda: True, answers)
    assert (dog.diagnose(NOW + 2 * NO_PROGRESS_S) is not None) == bites


@pytest.mark.parametrize(
    ("others", "silent_since", "bites"),
    [
        pytest.param(answers, NOW, True, id="the log answers others, but not us"),
        pytest.param(silent, NOW, False, id="the log answers nobody"),
        pytest.param(answers, None, False, id="the log answers us"),
    ],
)
async def test_a_client_that_hears_nothing(
    monkeypatch: pytest.MonkeyPatch, others: Any, silent_since: float | None, bites: bool
) -> None:
    dog = Watchdog(runner(waits_for_log_since=silent_since), lambda: True, others)
    monkeypatch.setattr("shared.clock.monotonic", lambda: NOW + 100)
    await dog.listen()
    assert dog.diagnose(NOW + 100 + DEAF_S - 1) is None, "it may hear at its next look"
    assert (dog.diagnose(NOW + 100 + DEAF_S + 1) is not None) == bites
