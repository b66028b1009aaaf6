"""Health of a share's models in Redis, and its changes that Postgres does not have yet."""

from collections.abc import Mapping, Sequence

import structlog
from pydantic import TypeAdapter
from pydantic_core import from_json, to_json

from services.metrics.domain.status import Part, StatusChange
from services.metrics.store.fenced import FencedState
from shared import keys
from shared.delivery.faults import FAULTS
from shared.delivery.plan import Partition
from shared.delivery.redis import Client
from shared.health.settling import Held

log = structlog.get_logger()

_HELD = TypeAdapter(Held)


class RedisStatuses:
    """Statuses by part."""

    def __init__(self, client: Client) -> None:
        self._state = FencedState(client, keys.statuses, keys.unwritten)
        self.untold = self._state.untold
        self.told = self._state.told

    async def load(self, share: Partition) -> dict[Part, Held] | None:
        """All of a share; `None` when they were lost, or never there."""
        found = await self._state.load(share)
        if found is None:
            return None
        known, unreadable = {}, 0
        for name, one in found.items():
            try:
                known[Part(*from_json(name))] = _HELD.validate_json(one)
            except (ValueError, TypeError):
                unreadable += 1  # of another version, perhaps: the part begins anew
        if unreadable:
            log.error("statuses_unreadable", share=share.partition, statuses=unreadable)
        return known

    async def change(
        self,
        share: Partition,
        epoch: int,
        statuses: Mapping[Part, Held | None],
        changes: Sequence[StatusChange],
    ) -> None:
        """Keep statuses (`None`: nothing is left of the part) and what changed, together."""
        entries = {
            to_json(part).decode(): _HELD.dump_json(one) if one else None
            for part, one in statuses.items()
        }
        tell = [one.model_dump_json().encode() for one in changes]
        FAULTS.reach("statuses.before_change")
        await self._state.change(share, epoch, entries, tell)
        FAULTS.reach("statuses.after_change")
