"""How busy each model was over the last hour, for the small lines of the list of models."""

from datetime import datetime, timedelta
from typing import Any

from services.gateway.domain.problems import AwayError
from services.gateway.service.kept import Kept
from services.gateway.service.stored import Minutes
from shared.clock import Clock

STEP_S, STEPS = 300, 12
KEPT_S = 15.0
"""Minutes become one more once a minute; everybody who looks at the list shares this."""


class Pulse:
    """Counts of operations by model, in steps of five minutes."""

    def __init__(self, minutes: Minutes, now: Clock) -> None:
        self._minutes = minutes
        self._now = now
        self._kept = Kept(KEPT_S)

    async def of(self, tenant_id: str) -> dict[str, list[int]] | None:
        """By model, the oldest step first; `None` while Postgres is away, for the list goes on."""
        try:
            return await self._kept.get(tenant_id, "pulse", lambda: self._counted(tenant_id))
        except AwayError:
            return None

    async def _counted(self, tenant_id: str) -> dict[str, Any]:
        end = _step_of(self._now()) + timedelta(seconds=STEP_S)
        start = end - timedelta(seconds=STEPS * STEP_S)
        found: dict[str, list[int]] = {}
        stored = await self._minutes.minutes(tenant_id, None, (start, end), STEP_S)
        for (series, at), cell in stored.items():
            counts = found.setdefault(series.model_id, [0] * STEPS)
            counts[int((at - start).total_seconds()) // STEP_S] += cell.get("n", 0)
        return found


def _step_of(now: datetime) -> datetime:
    return datetime.fromtimestamp(now.timestamp() // STEP_S * STEP_S, now.tzinfo)
