"""A partition that cannot go on stands still, is ours only while it is ours, and goes on again."""

from typing import Any

import pytest
from aiokafka import TopicPartition

from shared.delivery import incidents
from shared.delivery.plan import Fence, Partition
from shared.delivery.runner import Runner
from tests.unit.delivery.test_runner import Log, Memory, records

A, B = Partition("t", 0), Partition("t", 1)


class Assigned(Log):
    """A log whose partitions come and go."""

    def __init__(self) -> None:
        super().__init__({A: 10, B: 10})
        self.resumed: list[Partition] = []

    def resume(self, partition: TopicPartition) -> None:
        self.resumed.append(Partition(*partition))

    async def position(self, _: TopicPartition) -> int:
        return 0


@pytest.fixture
def stands() -> tuple[Runner, Assigned, Memory]:
    """The sink is ahead of what is left of partition A's log."""
    log, sink = Assigned(), Memory()
    sink.fences[A] = Fence(1, 50)
    consumer: Any = log
    return Runner("group", sink, lambda: consumer), log, sink


async def test_it_goes_on_once_somebody_has_moved_the_fence(
    stands: tuple[Runner, Assigned, Memory], monkeypatch: pytest.MonkeyPatch
) -> None:
    runner, log, sink = stands
    await runner(records(A, range(5)))
    assert list(runner.incidents) == [A]
    sink.fences[A] = Fence(9, 4)
    await runner._look_around()
    assert list(runner.incidents) == [A]  # not yet time to look again
    monkeypatch.setattr(incidents, "AGAIN_AFTER_S", 0.0)
    await runner._look_around()
    assert (runner.incidents, log.resumed) == ({}, [A])
    assert log.sought[-1] == (A, 4)
    await runner(records(A, range(4, 8)))
    assert sink.kept == {A: [4, 5, 6, 7]}


async def test_it_stands_still_while_nobody_has(
    stands: tuple[Runner, Assigned, Memory], monkeypatch: pytest.MonkeyPatch
) -> None:
    runner, log, sink = stands
    monkeypatch.setattr(incidents, "AGAIN_AFTER_S", 0.0)
    await runner(records(A, range(5)) + records(B, range(5)))
    await runner._look_around()
    await runner(records(A, range(5)))
    assert list(runner.incidents) == [A]
    assert log.resumed == []
    assert log.paused == [A] * 3  # also when a rebalance has forgotten that it was paused
    assert sink.kept == {B: [0, 1, 2, 3, 4]}


async def test_who_has_lost_the_partition_has_no_incident_any_more(
    stands: tuple[Runner, Assigned, Memory],
) -> None:
    runner, log, _ = stands
    await runner(records(A, range(5)))
    log.owned = {TopicPartition(*B)}
    await runner._look_around()
    assert runner.incidents == {}
