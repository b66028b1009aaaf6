"""The process that reckons: it answers in turn, outlives bad questions, and ends with its owner."""

import asyncio
import contextlib
import json

import psutil
import pytest

from shared import reckoner
from shared.reckoner import Reckoner, ReckoningError, UnanswerableError
from tests.support.waiting import eventually

TRENDS = json.dumps({"do": "trends", "series": [[float(at) for at in range(100)]]})


def reckoning() -> set[psutil.Process]:
    """Such processes of ours, other tests' gateways' too."""
    found = set()
    for one in psutil.Process().children():
        with contextlib.suppress(psutil.ZombieProcess, psutil.NoSuchProcess):  # it has just ended
            if "shared.reckoning" in " ".join(one.cmdline()):
                found.add(one)
    return found


async def test_questions_are_answered_in_turn_by_one_process_that_ends_when_idle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reckoner, "ENDS_AFTER_S", 0.2)
    others, asker = reckoning(), Reckoner()
    answers = await asyncio.gather(*(asker.ask(TRENDS) for _ in range(5)))
    assert {one["trends"][0]["direction"] for one in answers} == {"rising"}
    await eventually(lambda: reckoning() == others, why="it ends when nobody asks")
    assert (await asker.ask(TRENDS))["trends"]  # and comes back
    await asker.close()
    assert reckoning() == others
    with pytest.raises(ReckoningError):
        await asker.ask(TRENDS)


async def test_a_bad_question_and_a_killed_process_harm_no_other_question() -> None:
    others, asker = reckoning(), Reckoner()
    with pytest.raises(UnanswerableError):
        await asker.ask("no json")
    assert (await asker.ask(TRENDS))["trends"]
    waiting = asyncio.ensure_future(asker.ask(TRENDS))
    waiting.cancel()  # a half-read answer must not be the next one's
    await asyncio.gather(waiting, return_exceptions=True)
    assert (await asker.ask(TRENDS))["trends"]
    for process in reckoning() - others:
        process.kill()
        process.wait(10)
    # Whoever asks before we have noticed hears that it ended; the next one gets another process.
    with contextlib.suppress(ReckoningError):
        await asker.ask(TRENDS)
    assert (await asker.ask(TRENDS))["trends"]
    await asker.close()


async def test_too_many_questions_are_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reckoner, "MOST_WAITING", 2)
    asker = Reckoner()
    found = await asyncio.gather(*(asker.ask(TRENDS) for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(one, ReckoningError) for one in found) == 2
    await asker.close()
