"""Reading what was before tests disturbs nobody, and one that fails holds up no other."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from uuid import UUID

import pytest

from services.abtest.service.recalling import (
    FAILED_AGAIN_AFTER_S,
    FIRST_SLICE,
    LARGEST_SLICE,
    SMALLEST_SLICE,
    Key,
    Recalling,
)

ONE, OTHER = ("acme", UUID(int=1)), ("acme", UUID(int=2))


class Store:
    """Tests in memory."""

    def __init__(self, answer: Callable[[Key], bool | None]) -> None:
        self.keys: list[Key] = [ONE, OTHER]
        self.now = 1_000.0
        self.takes_s = 0.5
        self.steps: list[tuple[Key, timedelta]] = []
        self._answer = answer

    async def unfinished(self) -> Sequence[Key]:
        return list(self.keys)

    async def advance(self, key: Key, slice_of: timedelta) -> bool | None:
        self.steps.append((key, slice_of))
        self.now += self.takes_s
        return self._answer(key)


async def test_one_step_is_one_transaction() -> None:
    store = Store(lambda _: True)
    assert await Recalling(store, lambda: store.now).step()
    assert store.steps == [(ONE, FIRST_SLICE)]


async def test_a_test_that_waits_lets_others_go_first() -> None:
    store = Store(lambda key: key == OTHER)
    recalling = Recalling(store, lambda: store.now)
    assert await recalling.step()
    assert [key for key, _ in store.steps] == [ONE, OTHER]
    store.keys = [ONE]
    assert not await recalling.step(), "nothing to do at once"


@pytest.mark.parametrize(
    ("takes_s", "end"), [(0.01, LARGEST_SLICE), (0.5, FIRST_SLICE), (3.0, SMALLEST_SLICE)]
)
async def test_slices_fit_the_time_that_they_take(takes_s: float, end: timedelta) -> None:
    store = Store(lambda _: True)
    store.takes_s = takes_s
    recalling = Recalling(store, lambda: store.now)
    for _ in range(20):
        await recalling.step()
    assert store.steps[-1][1] == end


async def test_how_quiet_one_test_was_says_nothing_of_another() -> None:
    store = Store(lambda _: True)
    store.takes_s = 0.01
    recalling = Recalling(store, lambda: store.now)
    for _ in range(20):
        await recalling.step()
    store.keys = [OTHER]
    await recalling.step()
    assert store.steps[-1] == (OTHER, FIRST_SLICE)


async def test_a_slice_that_was_cut_off_is_tried_smaller() -> None:
    store = Store(lambda _: None)
    recalling = Recalling(store, lambda: store.now)
    assert await recalling.step()
    assert await recalling.step()
    assert [length for _, length in store.steps] == [FIRST_SLICE, FIRST_SLICE / 2]


async def test_one_that_fails_is_tried_later_and_the_store_away_is_not_its_fault() -> None:
    def fails(key: Key) -> bool:
        if key == ONE:
            raise ValueError("cannot be read")
        return True

    store = Store(fails)
    recalling = Recalling(store, lambda: store.now)
    assert await recalling.step()
    assert await recalling.step()
    assert [key for key, _ in store.steps] == [ONE, OTHER, OTHER]
    store.now += FAILED_AGAIN_AFTER_S
    await recalling.step()
    assert store.steps[-2][0] == ONE

    def away(_: Key) -> bool:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await Recalling(Store(away), lambda: 0.0).step()
