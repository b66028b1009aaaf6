"""What the broker says of a partition's log: where it begins and where it ends."""

import asyncio
from collections.abc import Callable, Collection

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared import clock
from shared.delivery.plan import Partition, contradiction

TIMEOUT_S = 10.0

Bounds = tuple[int, int]
"""First offset of a partition's log, and the offset after its last."""


class Ends:
    """Asks through a consumer, and remembers since when there was no answer."""

    def __init__(self, consumer: Callable[[], AIOKafkaConsumer], *, exact: bool) -> None:
        self.silent_since: float | None = None
        self._consumer = consumer
        self._exact = exact

    async def bounds(self, partitions: Collection[Partition]) -> dict[Partition, Bounds]:
        """Of each partition; raises what the consumer raises, or `TimeoutError`."""
        try:
            found = await bounds(self._consumer(), partitions)
        except Exception:
            self.silent_since = self.silent_since or clock.monotonic()
            raise
        self.silent_since = None
        return found

    def contradiction(self, next_offset: int, bounds: Bounds) -> str | None:
        """Why a fence at `next_offset` cannot belong to this log; `None` if it can."""
        start, end = bounds
        if not self._exact:
            # The local broker's ends lag a few records behind what it delivers (measured, Tansu
            # 0.6): there an end below the fence means nothing.
            end = max(end, next_offset)
        return contradiction(next_offset, start, end)


async def bounds(
    consumer: AIOKafkaConsumer, partitions: Collection[Partition]
) -> dict[Partition, Bounds]:
    """First offset of each log, and the one after its last, as `consumer` hears it."""
    asked = [TopicPartition(*partition) for partition in partitions]
    async with asyncio.timeout(TIMEOUT_S):
        starts = await consumer.beginning_offsets(asked)
        ends = await consumer.end_offsets(asked)
    return {Partition(*one): (starts[one], ends[one]) for one in asked}
