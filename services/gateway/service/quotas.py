"""Whether a tenant may ask once more: portions of a shared bucket, spent in this process."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

import structlog

from services.gateway.domain.problems import AwayError
from services.gateway.domain.quotas import Bucket, Kind, Quota, Taken, Told

ANSWERS_WITHIN_S = 0.25
AWAY_S = 5.0
"""So long after it did not answer, the shared bucket is not asked again."""
MOST_REMEMBERED = 30_000

log = structlog.get_logger()


class Buckets(Protocol):
    """Buckets that all gateways of an installation share."""

    async def take(self, tenant_id: str, kind: Kind, quota: Quota, want: int) -> Taken:
        """As many tokens as there are, at most `want`; `AwayError` when nobody knows."""


class _Share:
    """What this process holds of one tenant's bucket."""

    def __init__(self, quota: Quota, now_s: float) -> None:
        self.held = 0
        self.left = quota.burst
        self.closed_until_s = now_s
        self.own = Bucket(quota, now_s)
        self.asking = asyncio.Lock()


class Quotas:
    """Counts requests by tenant and kind. While nobody shares, each process counts by itself."""

    def __init__(
        self, buckets: Buckets, quotas: Mapping[Kind, Quota], now: Callable[[], float]
    ) -> None:
        """`quotas` of kinds that have one; `now` is monotonic, in seconds."""
        self._buckets = buckets
        self._quotas = quotas
        self._now = now
        self._shares: dict[tuple[str, Kind], _Share] = {}
        self._away_until_s = now()

    async def spend(self, tenant_id: str, kind: Kind) -> Told | None:
        """Spend one token, or say when there will be one; `None` where nothing is limited.

        Who is over the limit costs nobody else anything: until then the bucket is not asked again.
        """
        quota = self._quotas.get(kind)
        if quota is None:
            return None
        share = self._share(tenant_id, kind, quota)
        if share.held == 0 and self._now() >= share.closed_until_s:
            async with share.asking:  # one asks for all who wait
                if share.held == 0 and self._now() >= share.closed_until_s:
                    await self._refill(share, tenant_id, kind, quota)
        if share.held == 0:
            return Told(kind, quota, 0, max(1e-3, share.closed_until_s - self._now()))
        share.held -= 1
        return Told(kind, quota, share.left + share.held)

    def _share(self, tenant_id: str, kind: Kind, quota: Quota) -> _Share:
        found = self._shares.get((tenant_id, kind))
        if found is None:
            if len(self._shares) >= MOST_REMEMBERED:
                self._shares.clear()
            found = self._shares[tenant_id, kind] = _Share(quota, self._now())
        return found

    async def _refill(self, share: _Share, tenant_id: str, kind: Kind, quota: Quota) -> None:
        taken = await self._taken(tenant_id, kind, quota)
        if taken is None:
            taken = share.own.take(quota.portion, self._now())
        share.held, share.left = taken.tokens, taken.left
        if not taken.tokens:
            share.closed_until_s = self._now() + taken.wait_s

    async def _taken(self, tenant_id: str, kind: Kind, quota: Quota) -> Taken | None:
        if self._now() < self._away_until_s:
            return None
        try:
            async with asyncio.timeout(ANSWERS_WITHIN_S):
                return await self._buckets.take(tenant_id, kind, quota, quota.portion)
        except (AwayError, TimeoutError):
            self._away_until_s = self._now() + AWAY_S
            log.warning("quotas_alone", for_s=AWAY_S)
            return None
