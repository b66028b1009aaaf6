"""Tells what became of alerts and statuses: from our outbox in Redis to a topic, or Postgres."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol

from shared.delivery.plan import Partition

MOST = 500

Publish = Callable[[Sequence[bytes]], Awaitable[None]]


class Outbox(Protocol):
    """What others do not know yet."""

    async def untold(self, share: Partition, most: int) -> dict[bytes, bytes]:
        """Events in order, by the id under which they wait."""

    async def told(self, share: Partition, numbers: Sequence[bytes]) -> None:
        """Those are told."""


async def tell(outbox: Outbox, ours: Iterable[Partition], publish: Publish) -> None:
    """Publish what waits; a crash in between publishes it twice, under the same id."""
    trouble: Exception | None = None
    for share in list(ours):
        try:
            waiting = await outbox.untold(share, MOST)
            if waiting:
                await publish(list(waiting.values()))
                await outbox.told(share, list(waiting))
        except Exception as error:
            trouble = error  # the other shares have theirs to tell
    if trouble:
        raise trouble
