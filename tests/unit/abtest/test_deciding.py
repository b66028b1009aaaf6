"""Looks without a store: what is kept, told once, put off."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from services.abtest.domain.memory import Memory
from services.abtest.domain.results import FORMULA_VERSION
from services.abtest.domain.state import TestState
from services.abtest.domain.steering import Before, ChangedError, Due, PastStep, Step
from services.abtest.service.deciding import FAILED_AGAIN_AFTER_S, Deciding
from shared.experiments.lifecycle import State
from shared.experiments.results import ResultsAnswer
from tests.support.abtests import NOON, state, successes
from tests.support.experiments import config

HARMFUL = successes((3_000, 0.9), (3_000, 0.8))
NOW = NOON + timedelta(days=11)


class Kept:
    """A test as a store keeps it; also a look at it."""

    def __init__(self, state: TestState) -> None:
        self.state = state
        self.before = Before()
        self.answer: ResultsAnswer | None = None
        self.history = [PastStep(uuid4(), NOON, "running", "ann", None)]
        self.told: list[Step] = []
        self.winner: str | None = None
        self.dies: Exception | None = None
        self.is_busy = False

    async def steps(self) -> Sequence[PastStep]:
        return list(self.history)

    async def take(self, step: Step, winner: str | None) -> None:
        self._pending = step, winner

    async def keep(self, answer: ResultsAnswer, memory: Memory) -> None:
        self._results = answer, memory

    def commit(self) -> None:
        """All of a look, or, if it dies before, nothing."""
        if self.dies is not None:
            self.dies, error = None, self.dies
            self.__dict__.pop("_pending", None)
            raise error
        self.answer, memory = self._results
        self.before = Before(self.answer.verdict, self.answer.winner, memory)
        taken = self.__dict__.pop("_pending", None)
        if taken is not None:
            step, self.winner = taken
            self.told.append(step)
            self.person(step.state, step.occurred_at, None, self.answer.verdict)
            self.history[-1] = self.history[-1]._replace(event_id=step.event_id)

    def person(
        self, to: State, at: datetime, actor: str | None = "ann", verdict: str | None = None
    ) -> None:
        """Somebody's step."""
        self.history.append(PastStep(uuid4(), at, to.value, actor, verdict))
        self.state = self.state._replace(state=to)


class Store:
    """Tests in memory, all of them due."""

    def __init__(self, *tests: Kept) -> None:
        self.tests = {one.state.test_id: one for one in tests}

    async def due(self, formula_version: str) -> Sequence[Due]:
        assert formula_version == FORMULA_VERSION
        return [Due("acme", test_id, None) for test_id in self.tests]

    @asynccontextmanager
    async def looking(self, due: Due) -> AsyncIterator[Kept | None]:
        test = self.tests[due.test_id]
        if test.is_busy:
            yield None
            return
        yield test
        test.commit()


class Clocks:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.s = 0.0

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.s)

    def monotonic(self) -> float:
        return self.s


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


def deciding(clocks: Clocks, *tests: Kept) -> Deciding:
    return Deciding(Store(*tests), clocks.now, clocks.monotonic)


async def test_each_verdict_is_told_once(clocks: Clocks) -> None:
    kept = Kept(successes((40, 0.9), (40, 0.9)))
    looks = deciding(clocks, kept)
    await looks.look()
    assert kept.answer is not None
    assert (kept.answer.verdict, kept.told) == ("COLLECTING", [])
    kept.state = successes((3_000, 0.9), (3_000, 0.9))
    await looks.look()
    await looks.look()
    assert [step.state for step in kept.told] == [State.RUNNING]
    kept.state = successes((4_000, 0.9), (4_000, 0.95))
    await looks.look()
    await looks.look()
    assert [step.state for step in kept.told] == [State.RUNNING] * 2
    assert (kept.answer.verdict, kept.answer.winner, kept.winner) == ("SHIP", "b", "b")


async def test_harm_pauses_until_somebody_starts_it_again(clocks: Clocks) -> None:
    kept = Kept(HARMFUL)
    looks = deciding(clocks, kept)
    await looks.look()
    assert kept.state.state is State.PAUSED
    assert kept.answer is not None
    assert (kept.answer.state, kept.answer.verdict) == (State.PAUSED, "STOP_HARM")
    await looks.look()
    clocks.s += 60
    kept.person(State.RUNNING, clocks.now())
    await looks.look()
    await looks.look()
    assert kept.state.state is State.RUNNING
    assert len(kept.told) == 1


async def test_a_winner_concludes(clocks: Clocks) -> None:
    settings = config(auto_conclude=True)
    kept = Kept(successes((3_000, 0.85), (3_000, 0.9), settings=settings))
    looks = deciding(clocks, kept)
    await looks.look()
    await looks.look()
    assert (kept.state.state, kept.winner) == (State.CONCLUDED, "b")
    assert len(kept.told) == 1


async def test_what_is_repeated_after_a_crash_is_the_same_step(clocks: Clocks) -> None:
    kept, lost = Kept(HARMFUL), []
    looks = deciding(clocks, kept)
    take = kept.take

    async def seen(step: Step, winner: str | None) -> None:
        lost.append(step)
        await take(step, winner)

    kept.take = seen  # type: ignore[method-assign]
    kept.dies = ConnectionResetError()
    with pytest.raises(ConnectionResetError):
        await looks.look()
    assert (kept.told, kept.answer, kept.state.state) == ([], None, State.RUNNING)
    clocks.s += 5
    kept.state = successes((3_100, 0.9), (3_100, 0.8), version=2)
    await deciding(clocks, kept).look()
    assert [step.event_id for step in lost] == [kept.told[0].event_id] * 2


async def test_one_that_fails_holds_up_no_other_and_is_tried_again_later(clocks: Clocks) -> None:
    bad = Kept(state({}, test_id=uuid4()))
    bad.before = Before(memory="nonsense")  # type: ignore[arg-type]
    good = Kept(HARMFUL)
    looks = deciding(clocks, bad, good)
    await looks.look()
    assert good.answer is not None
    bad.before = Before()
    await looks.look()
    assert bad.answer is None
    clocks.s += FAILED_AGAIN_AFTER_S
    await looks.look()
    assert bad.answer is not None


async def test_what_somebody_changed_or_looks_at_is_left_for_the_next_time(clocks: Clocks) -> None:
    kept = Kept(HARMFUL)
    looks = deciding(clocks, kept)
    kept.dies = ChangedError()
    await looks.look()
    assert kept.answer is None
    kept.is_busy = True
    await looks.look()
    assert kept.answer is None
    kept.is_busy = False
    await looks.look()
    assert kept.state.state is State.PAUSED
