"""What is missing between the fence and a batch: markers, or records that nobody may skip."""

from collections.abc import Callable, Sequence
from unittest.mock import AsyncMock

import pytest

from shared.delivery import runner as room
from shared.delivery.plan import Fence, Partition
from shared.delivery.watchdog import Watchdog
from tests.unit.delivery.processes import Process
from tests.unit.delivery.world import PARTITIONS, Kept, Log, Part, Store, check_part

A, B = PARTITIONS


@pytest.fixture(autouse=True)
def in_small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "PIECE", 3)


def started(store: Store, *, numbers: Sequence[int | None] = ()) -> tuple[Process, Log]:
    """A process that owns both partitions, of which the first has these records."""
    logs = {one: Log() for one in PARTITIONS}
    logs[A].append(numbers)
    process = Process(logs, store, None)
    process.consumer.assign(PARTITIONS, 0)
    return process, logs[A]


async def test_the_next_piece_of_a_batch_that_was_sought_back_is_no_gap() -> None:
    store = Store()
    process, log = started(store, numbers=[None, *range(8)])
    for _ in range(3):
        await process.deliver(8)
    check_part(store.parts[A], log)
    assert (len(store.parts[A].kept), store.parts[A].gaps) == (8, 1)


async def test_a_store_that_went_back_gets_all_of_a_batch_in_pieces_again() -> None:
    store = Store()
    process, log = started(store, numbers=range(20))
    await process.deliver(4)
    store.parts[A] = Part(Fence(1, 2), 0, store.parts[A].kept[:2])
    for _ in range(4):
        await process.deliver(20)
    check_part(store.parts[A], log)
    assert len(store.parts[A].kept) == 20


async def test_records_that_expired_before_they_were_consumed_are_an_incident_and_no_gap() -> None:
    store = Store()
    process, log = started(store, numbers=range(10))
    await process.deliver(2)
    log.expire(6)
    for _ in range(3):
        await process.deliver(2)
    assert A in process.runner.incidents
    assert (store.parts[A].fence.next_offset, store.parts[A].gaps) == (2, 0)


class Busy(Store):
    """Something happens while somebody waits for the claim."""

    def __init__(self, meanwhile: Callable[[Store], None]) -> None:
        super().__init__()
        self._meanwhile = meanwhile

    def claim(self, partition: Partition, log_start: int | None) -> Fence | None:
        if partition == A:
            self._meanwhile(self)
        return super().claim(partition, log_start)


@pytest.mark.parametrize("watching", [False, True])
async def test_a_log_that_grew_while_a_claim_waited_is_no_incident(watching: bool) -> None:
    def another_owner_goes_on(store: Store) -> None:
        if A not in store.parts:
            log.append(range(4, 9))
            kept = tuple(Kept(number, number) for number in range(9))
            store.parts[A] = Part(Fence(1, 9), 0, kept)

    process, log = started(Busy(another_owner_goes_on), numbers=range(4))
    await (process.look_around() if watching else process.deliver(4))
    assert process.runner.incidents == {}


async def test_a_transaction_s_marker_at_the_end_is_nothing_that_waits() -> None:
    store = Store()
    process, log = started(store, numbers=[0, 1, 2, None])
    lags = []
    for _ in range(4):
        await process.deliver(10)
        await process.look_around()
        lags.append(process.runner.lag[A])
    assert lags[-2:] == [0, 0]
    watchdog = Watchdog(process.runner, lambda: True, AsyncMock())
    assert watchdog.diagnose(process.runner.progress_at + 60) is None
    log.append([3])
    await process.look_around()
    assert process.runner.lag[A] == 2
    await process.deliver(10)
    check_part(store.parts[A], log)
