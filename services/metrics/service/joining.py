"""Counts model-less feedback once its operation is known."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from services.metrics.domain.waiting import Waiting
from shared.delivery.plan import Fence, Partition
from shared.measures.cells import Series

OperationKey = tuple[str, str]
Lookup = Callable[[Sequence[OperationKey]], Awaitable[Mapping[OperationKey, Series]]]
Holding = Callable[[Partition], AbstractAsyncContextManager[Fence | None]]


class WaitingStore(Protocol):
    """Where feedback waits."""

    async def waiting(self, partition: Partition) -> dict[bytes, Waiting]:
        """Some of what waits."""

    async def join(
        self, partition: Partition, fence: Fence, found: Mapping[bytes, tuple[Waiting, Series]]
    ) -> None:
        """Count it, and stop it waiting, in one step."""


async def join_waiting(
    partition: Partition, store: WaitingStore, lookup: Lookup, holding: Holding
) -> int:
    """Join what can be joined in one partition; answers how many."""
    waiting = await store.waiting(partition)
    if not waiting:
        return 0
    wanted = {(one.tenant_id, one.operation_id) for one in waiting.values()}
    series = await lookup(sorted(wanted))
    found = {
        name: (one, series[one.tenant_id, one.operation_id])
        for name, one in waiting.items()
        if (one.tenant_id, one.operation_id) in series
    }
    if not found:
        return 0
    async with holding(partition) as fence:
        if fence is None:
            return 0  # the partition's new owner will do it
        await store.join(partition, fence, found)
    return len(found)
