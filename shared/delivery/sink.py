"""What the runner needs of a store."""

from collections.abc import Sequence
from typing import Protocol

from aiokafka import ConsumerRecord

from shared.delivery.plan import Fence, Partition


class Sink(Protocol):
    """A store that keeps data and position together."""

    async def claim(self, partition: Partition, log_start: int) -> Fence:
        """Take the partition over: a new epoch; where nothing is known, from `log_start`."""

    async def read(self, partition: Partition) -> Fence | None:
        """The fence as it stands in the store."""

    async def apply(
        self, partition: Partition, fence: Fence, records: Sequence[ConsumerRecord], gap: int
    ) -> Fence:
        """Write batch and fence in one atomic step; `FencedError` when the fence is not ours."""
