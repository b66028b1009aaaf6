"""A log, stores and processes in memory: all that delivery can go wrong in, without any I/O."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError

from shared.delivery.plan import Fence, Partition
from shared.errors import FencedError

PARTITIONS = (Partition("t", 0), Partition("t", 1))


class Record(NamedTuple):
    """A record as a consumer delivers it; `number` is its event's identity."""

    topic: str
    partition: int
    offset: int
    number: int


class Kept(NamedTuple):
    """What a store has of a record."""

    offset: int
    number: int


@dataclass
class Log:
    """One partition's log: at every offset a record's number, or `None` for a control record."""

    start: int = 0
    end: int = 0
    ever: dict[int, list[int | None]] = field(default_factory=dict)
    """Also what has expired, and what was lost before an offset was used again."""

    def append(self, numbers: Sequence[int | None]) -> None:
        for number in numbers:
            self.ever.setdefault(self.end, []).append(number)
            self.end += 1

    def expire(self, start: int) -> None:
        """Retention takes everything below an offset."""
        self.start = max(self.start, start)

    def lose_tail(self, end: int) -> None:
        """A broker comes back without its last records."""
        self.end = max(self.start, end)

    def records(self, partition: Partition, first: int, most: int) -> list[Record]:
        """The next records from an offset on; nobody is shown a control record."""
        found = ((offset, self.ever[offset][-1]) for offset in range(first, self.end))
        shown = [Record(*partition, offset, one) for offset, one in found if one is not None]
        return shown[:most]


Logs = Mapping[Partition, Log]


class Consumer:
    """What of an aiokafka consumer the runner uses, and what FastStream does with it."""

    def __init__(self, logs: Logs) -> None:
        self._logs = logs
        self._owned: set[TopicPartition] = set()
        self._positions: dict[Partition, int] = {}
        self._paused: set[Partition] = set()

    def assign(self, partitions: Sequence[Partition], hint: int) -> None:
        """A rebalance: a new set, and positions that Kafka remembers, however wrong they are."""
        self._owned = {TopicPartition(*one) for one in partitions}
        self._positions = dict.fromkeys(partitions, hint)
        self._paused = set()

    def poll(self, most: int) -> list[Record]:
        """Up to `most` records of each partition, in order; the positions move past them."""
        polled = []
        for partition in sorted(Partition(*one) for one in self._owned):
            log, position = self._logs[partition], self._positions[partition]
            if partition in self._paused:
                continue
            if not log.start <= position <= log.end:
                position = log.start  # out of range: `auto_offset_reset="earliest"`
            found = log.records(partition, position, most)
            polled += found
            self._positions[partition] = found[-1].offset + 1 if len(found) == most else log.end
        return polled

    def nack(self, records: Sequence[Record]) -> None:
        """Seek back to where a batch began; at a revoked partition FastStream gives up."""
        first: dict[Partition, int] = {}
        for one in records:
            first.setdefault(Partition(one.topic, one.partition), one.offset)
        for partition, offset in first.items():
            if TopicPartition(*partition) not in self._owned:
                return
            self._positions[partition] = offset

    def assignment(self) -> set[TopicPartition]:
        return self._owned

    def seek(self, partition: TopicPartition, offset: int) -> None:
        if partition not in self._owned:
            raise IllegalStateError(f"{partition} is not ours")
        self._positions[Partition(*partition)] = offset

    def pause(self, partition: TopicPartition) -> None:
        self._paused.add(Partition(*partition))

    def resume(self, partition: TopicPartition) -> None:
        if partition not in self._owned:
            raise IllegalStateError(f"{partition} is not ours")
        self._paused.discard(Partition(*partition))

    async def position(self, partition: TopicPartition) -> int:
        if partition not in self._owned:
            raise IllegalStateError(f"{partition} is not ours")
        return self._positions[Partition(*partition)]

    async def beginning_offsets(self, asked: Sequence[TopicPartition]) -> dict[Any, int]:
        return {one: self._logs[Partition(*one)].start for one in asked}

    async def end_offsets(self, asked: Sequence[TopicPartition]) -> dict[Any, int]:
        return {one: self._logs[Partition(*one)].end for one in asked}


class Part(NamedTuple):
    """All that a store has of one partition. Immutable, so that a copy is a backup."""

    fence: Fence
    base: int
    """The offset at which it began."""
    kept: tuple[Kept, ...] = ()
    gaps: int = 0


class Store:
    """Parts, each changed in one step or not at all."""

    def __init__(self) -> None:
        self.parts: dict[Partition, Part] = {}
        self.backup: dict[Partition, Part] = {}
        self.claims: Counter[Partition] = Counter()
        self.zombies = 0
        """Writes by a process although another one had claimed since."""
        self.era = 0
        """How often it went back: claims made before that may be made again."""

    def go_back(self, parts: Mapping[Partition, Part]) -> None:
        """An older state, or none at all."""
        self.parts = dict(parts)
        self.era += 1

    def all_of(self, partition: Partition) -> list[Part]:
        """What it has, and what it may have again."""
        return [held[partition] for held in (self.parts, self.backup) if partition in held]

    def claim(self, partition: Partition, log_start: int | None) -> Fence | None:
        """A new epoch; an unknown partition begins at `log_start`, or is not claimed."""
        part = self.parts.get(partition)
        if part is None:
            if log_start is None:
                return None
            part = Part(Fence(0, log_start), log_start)
        fence = Fence(part.fence.epoch + 1, part.fence.next_offset)
        self.parts[partition] = part._replace(fence=fence)
        return fence

    def read(self, partition: Partition) -> Fence | None:
        part = self.parts.get(partition)
        return part and part.fence

    def apply(
        self, partition: Partition, fence: Fence, records: Sequence[Record], gap: int
    ) -> Fence:
        part = self.parts.get(partition)
        if part is None or part.fence != fence:
            raise FencedError(f"{partition} epoch {fence.epoch}")
        return self.put(partition, part, records, gap)

    def put(self, partition: Partition, part: Part, records: Sequence[Record], gap: int) -> Fence:
        """Data and position at once."""
        moved = Fence(part.fence.epoch, records[-1].offset + 1)
        kept = part.kept + tuple(Kept(one.offset, one.number) for one in records)
        self.parts[partition] = part._replace(fence=moved, kept=kept, gaps=part.gaps + gap)
        return moved

    def replace(self, partition: Partition, epoch: int, part: Part) -> None:
        """Another content, unless somebody claimed since `epoch` was read."""
        found = self.read(partition)
        if (found.epoch if found else 0) != epoch:
            raise FencedError(f"{partition} was claimed meanwhile")
        self.parts[partition] = part._replace(fence=Fence(epoch + 1, part.fence.next_offset))


def check_part(part: Part, log: Log) -> None:
    """Everything below the fence is there, once, in order; only control records are missing."""
    offsets = [one.offset for one in part.kept]
    assert offsets == sorted(set(offsets)), "twice, or out of order"
    assert all(one.number in log.ever[one.offset] for one in part.kept), "not what the log said"
    assert part.fence.next_offset == (offsets[-1] + 1 if offsets else part.base)
    missing = set(range(part.base, part.fence.next_offset)) - set(offsets)
    skipped = sorted(offset for offset in missing if None not in log.ever[offset])
    assert not skipped, f"records below the fence that nobody applied: {skipped}"
    assert part.gaps <= len(missing), "more gaps are counted than there are control records"
