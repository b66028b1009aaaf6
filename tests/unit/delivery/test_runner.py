"""The runner brings every record to the sink once, in order, whatever happens to the other ones."""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition

from shared.delivery import runner as room
from shared.delivery.plan import Fence, Partition
from shared.delivery.runner import Runner
from shared.errors import FencedError

A, B = Partition("t", 0), Partition("t", 1)
WITHIN_S = 5


def records(partition: Partition, offsets: Sequence[int]) -> list[Any]:
    return [
        SimpleNamespace(topic=partition.topic, partition=partition.partition, offset=offset)
        for offset in offsets
    ]


class Log:
    """What of a consumer the runner uses."""

    def __init__(self, ends: dict[Partition, int]) -> None:
        self.ends = {TopicPartition(*one): end for one, end in ends.items()}
        self.owned = set(self.ends)
        self.sought: list[tuple[Partition, int]] = []
        self.paused: list[Partition] = []

    def assignment(self) -> set[TopicPartition]:
        return self.owned

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.sought.append((Partition(*partition), offset))

    def pause(self, partition: TopicPartition) -> None:
        self.paused.append(Partition(*partition))

    async def position(self, partition: TopicPartition) -> int:
        return next((at for one, at in reversed(self.sought) if one == partition), 0)

    async def beginning_offsets(self, asked: Sequence[TopicPartition]) -> dict[Any, int]:
        return dict.fromkeys(asked, 0)

    def rebalance(self) -> None:
        """The same partitions, assigned anew: they are read from wherever the group stood."""
        self.owned = set(self.owned)

    async def end_offsets(self, asked: Sequence[TopicPartition]) -> dict[Any, int]:
        return {one: self.ends[one] for one in asked}


class Memory:
    """A sink that keeps offsets and fence together."""

    def __init__(self) -> None:
        self.fences: dict[Partition, Fence] = {}
        self.kept: dict[Partition, list[int]] = {}
        self.sizes: list[int] = []
        self.gaps = 0

    async def claim(self, partition: Partition, log_start: int) -> Fence:
        old = self.fences.get(partition, Fence(0, log_start))
        self.fences[partition] = Fence(old.epoch + 1, old.next_offset)
        return self.fences[partition]

    async def read(self, partition: Partition) -> Fence | None:
        return self.fences.get(partition)

    async def apply(
        self, partition: Partition, fence: Fence, batch: Sequence[Any], gap: int
    ) -> Fence:
        if fence != self.fences[partition]:
            raise FencedError(str(partition))
        offsets = [one.offset for one in batch]
        self.kept.setdefault(partition, []).extend(offsets)
        self.sizes.append(len(offsets))
        self.gaps += gap
        self.fences[partition] = Fence(fence.epoch, offsets[-1] + 1)
        return self.fences[partition]


def built(sink: Memory, ends: dict[Partition, int] | None = None) -> tuple[Runner, Log]:
    log = Log(ends or {A: 100_000, B: 100_000})
    return Runner("group", sink, lambda: log), log  # type: ignore[arg-type,return-value]


async def test_a_partition_comes_in_order_and_in_pieces() -> None:
    sink = Memory()
    runner, _ = built(sink)
    await runner(records(A, range(room.PIECE * 2 + 7)))
    assert sink.kept[A] == list(range(room.PIECE * 2 + 7))
    assert sink.sizes == [room.PIECE, room.PIECE, 7]


async def test_while_one_partition_waits_for_its_store_another_is_written() -> None:
    class Meeting(Memory):
        """Nobody gets on until both are here."""

        def __init__(self) -> None:
            super().__init__()
            self.both = asyncio.Barrier(2)

        async def apply(self, *what: Any) -> Fence:
            await self.both.wait()
            return await super().apply(*what)

    sink = Meeting()
    runner, _ = built(sink)
    async with asyncio.timeout(WITHIN_S):
        await runner(records(A, range(5)) + records(B, range(3)))
    assert sink.kept == {A: [0, 1, 2, 3, 4], B: [0, 1, 2]}


async def test_a_partition_that_fails_for_good_keeps_no_other_from_its_store(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Picky(Memory):
        async def apply(self, partition: Partition, *what: Any) -> Fence:
            if partition == A:
                raise OSError("away")
            return await super().apply(partition, *what)

    monkeypatch.setattr(room, "RETRY_TOTAL_S", 0)
    sink = Picky()
    runner, _ = built(sink)
    with pytest.raises(OSError, match="away"):
        await runner(records(A, range(5)) + records(B, range(3)))
    assert sink.kept == {B: [0, 1, 2]}


async def test_a_write_whose_answer_got_lost_is_not_written_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Forgetful(Memory):
        lost = False

        async def apply(self, *what: Any) -> Fence:
            done = await super().apply(*what)
            if not self.lost:
                self.lost = True
                raise TimeoutError("applied, but nobody heard")
            return done

    monkeypatch.setattr(room, "RETRY_FIRST_S", 0.001)
    sink = Forgetful()
    runner, _ = built(sink)
    await runner(records(A, range(4)))
    await runner(records(A, range(4, 6)))
    assert sink.kept[A] == [0, 1, 2, 3, 4, 5]


async def test_what_was_applied_before_is_trimmed() -> None:
    sink = Memory()
    runner, _ = built(sink)
    await runner(records(A, range(4)))
    await runner(records(A, range(2, 6)))
    assert sink.kept[A] == [0, 1, 2, 3, 4, 5]


async def test_missing_records_are_sought_once_and_then_counted_as_a_gap() -> None:
    sink = Memory()
    runner, log = built(sink)
    await runner(records(A, range(3)))
    await runner(records(A, range(5, 7)))
    assert log.sought == [(A, 3)]
    assert sink.kept[A] == [0, 1, 2]
    await runner(records(A, range(5, 7)))
    assert (sink.kept[A], sink.gaps) == ([0, 1, 2, 5, 6], 2)


async def test_a_zombie_that_lost_its_partition_lets_go_quietly() -> None:
    sink = Memory()
    runner, log = built(sink)
    await runner(records(A, range(3)))
    await sink.claim(A, 0)  # another process took over
    log.owned = set()
    await runner(records(A, range(3, 5)))
    assert sink.kept[A] == [0, 1, 2]


async def test_a_log_that_lost_its_tail_stops_the_partition_and_no_other() -> None:
    sink = Memory()
    sink.fences[A] = Fence(1, 50)
    runner, log = built(sink, {A: 10, B: 10})
    await runner(records(A, range(10)) + records(B, range(3)))
    assert A in runner.incidents
    assert log.paused == [A]
    assert sink.kept == {B: [0, 1, 2]}


async def test_a_cancellation_that_nobody_asked_for_is_an_error() -> None:
    class Stray(Memory):
        async def apply(self, *_: Any) -> Fence:
            raise asyncio.CancelledError

    runner, _ = built(Stray())
    with pytest.raises(RuntimeError, match="cancelled by nobody"):
        await runner(records(A, range(2)))


def fenced_at(next_offset: int) -> Memory:
    """A sink whose fence of B was set back behind what Kafka delivers: a rebuild does that."""
    sink = Memory()
    sink.fences[B] = Fence(1, next_offset)
    return sink


async def test_missing_offsets_are_a_gap_only_when_they_are_missing_again() -> None:
    sink = fenced_at(5)
    runner, log = built(sink)
    await runner(records(B, range(10, 20)))
    assert (sink.kept, log.sought) == ({}, [(B, 5)])
    await runner(records(B, range(10, 20)))
    assert (sink.kept[B], sink.gaps) == (list(range(10, 20)), 5)


async def test_a_batch_that_is_delivered_again_is_no_sign_of_a_gap(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Stolen(Memory):
        async def apply(self, partition: Partition, *what: Any) -> Fence:
            if partition == A and A not in self.kept:
                self.kept[A] = []
                raise FencedError("A")
            return await super().apply(partition, *what)

    sink = Stolen()
    sink.fences[B] = Fence(1, 5)
    runner, log = built(sink)
    batch = records(A, range(3)) + records(B, range(10, 20))
    with pytest.raises(FencedError):
        await runner(batch)  # and now both partitions are sought to where this batch began
    await runner(batch)
    assert log.sought == [(B, 5), (B, 5)]
    await runner(records(B, range(5, 20)))
    assert (sink.kept[B], sink.gaps) == (list(range(5, 20)), 0)


async def test_a_rebalance_after_seeking_back_is_no_sign_of_a_gap() -> None:
    sink = fenced_at(5)
    runner, log = built(sink)
    await runner(records(B, range(10, 20)))
    log.rebalance()
    await runner(records(B, range(10, 20)))
    assert (sink.kept, log.sought) == ({}, [(B, 5), (B, 5)])


async def test_a_twin_s_writes_under_our_epoch_are_no_reason_to_see_a_gap() -> None:
    """After a store went back, two processes may hold the same epoch at the same offset."""
    sink = Memory()
    runner, _ = built(sink, {A: 10})
    await runner._look_around()
    await runner(records(A, [1]))  # 0 is missing: it is sought
    sink.fences[A] = backup = Fence(1, 1)  # the twin has written 0
    await runner._look_around()
    sink.fences[A] = backup._replace(next_offset=0)  # and a backup knows nothing of it
    with pytest.raises(FencedError):
        await runner(records(A, [1]))
    assert sink.kept == {}
