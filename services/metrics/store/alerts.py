"""Alerts of a share in Redis: their state and what is still to be told, in one step."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from services.metrics.domain.alerting import Place
from services.metrics.domain.telling import Home, Kept
from services.metrics.store.fenced import Ended, FencedState
from shared import keys
from shared.alerts.grouping import Group
from shared.clock import Clock
from shared.delivery.faults import FAULTS
from shared.delivery.plan import Partition
from shared.delivery.redis import Client

ENDED_FOR_S = 86_400

_KEPT = TypeAdapter(Kept)


class RedisAlerts:
    """Alerts, and the steps that the topic does not have yet."""

    def __init__(self, client: Client, now: Clock) -> None:
        self._client = client
        self._now = now
        self._state = FencedState(client, keys.alerts, keys.untold)
        self.untold = self._state.untold
        self.told = self._state.told

    async def load(self, share: Partition) -> dict[Home, Kept] | None:
        """All alerts of a share; `None` when they were lost, or never there."""
        found = await self._state.load(share)
        if found is None:
            return None
        return {_home(name): _KEPT.validate_json(value) for name, value in found.items()}

    async def change(
        self,
        share: Partition,
        epoch: int,
        alerts: Mapping[Home, Kept | None],
        events: Sequence[bytes],
        ended: Sequence[UUID],
    ) -> None:
        """Keep what became of alerts (`None`: ended) and what to tell, whole or not at all."""
        entries = {
            _name(home): _KEPT.dump_json(one) if one else None for home, one in alerts.items()
        }
        now = int(self._now().timestamp())
        ids = [str(one) for one in ended]
        FAULTS.reach("alerts.before_change")
        gone = Ended(keys.ended(*share), ids, now, now - ENDED_FOR_S)
        await self._state.change(share, epoch, entries, events, gone)
        FAULTS.reach("alerts.after_change")

    async def ended(self, share: Partition) -> set[UUID]:
        """Alerts that have ended in the last day."""
        found: Any = await self._client.zrange(keys.ended(*share), 0, -1)
        return {UUID(one.decode()) for one in found}


def _name(home: Home) -> str:
    labels = [part for label in home.place.group.labels for part in label]
    return keys.SEPARATOR.join(
        [home.tenant_id, str(home.place.rule_id), *map(keys.escaped, labels)]
    )


def _home(name: str) -> Home:
    tenant_id, rule_id, *labels = name.split(keys.SEPARATOR)
    parts = [keys.unescaped(part) for part in labels]
    pairs = tuple(zip(parts[::2], parts[1::2], strict=True))
    return Home(tenant_id, Place(UUID(rule_id), Group(pairs)))
