"""Tells everybody what became of alerts: from our outbox in Redis to the topic."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol

from shared.delivery.plan import Partition

MOST = 500

Publish = Callable[[Sequence[bytes]], Awaitable[None]]


class Outbox(Protocol):
    """Steps that the topic does not have yet."""

    async def untold(self, share: Partition, most: int) -> dict[bytes, bytes]:
        """Events in order, by the id under which they wait."""

    async def told(self, share: Partition, numbers: Sequence[bytes]) -> None:
        """Those are on the topic."""


async def tell(outbox: Outbox, ours: Iterable[Partition], publish: Publish) -> None:
    """Publish what waits; a crash in between publishes it twice: the same step, the same id."""
    for share in list(ours):
        waiting = await outbox.untold(share, MOST)
        if waiting:
            await publish(list(waiting.values()))
            await outbox.told(share, list(waiting))
