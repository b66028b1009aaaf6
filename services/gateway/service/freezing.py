"""Datasets are asked for here, frozen by group `feedback`, and waited for a while."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol
from uuid import UUID

from services.gateway.domain.datasets import DatasetRequest, dataset_view
from services.gateway.domain.problems import AwayError, Problem

MOST_FREEZING = 20
"""Of a tenant at once: each copies its rows."""
WAIT_S = 20.0
LOOK_EVERY_S = 0.5


class Store(Protocol):
    """Where datasets stay."""

    async def add(
        self, tenant_id: str, dataset_id: UUID, asked: DatasetRequest, actor: str, most: int
    ) -> Any:
        """Keep what is asked for; `None` when enough are waiting."""

    async def dataset(self, tenant_id: str, dataset_id: UUID) -> Any:
        """One of them, or `None`."""


class Freezing:
    """One dataset at a time, of whoever asks."""

    def __init__(self, store: Store, new_id: Callable[[], UUID], now: Callable[[], float]) -> None:
        self._store = store
        self._new_id = new_id
        self._now = now

    async def freeze(self, tenant_id: str, asked: DatasetRequest, actor: str) -> dict[str, Any]:
        """The dataset as it is once it is frozen, or after `WAIT_S`; no transaction is held."""
        row = await self._store.add(tenant_id, self._new_id(), asked, actor, MOST_FREEZING)
        if row is None:
            said = f"{MOST_FREEZING} datasets are being frozen; wait until one of them is."
            raise Problem("conflict", said)
        until = self._now() + WAIT_S
        # It is asked for by now: a failed answer would have it asked for again, as another version.
        with suppress(AwayError):
            while row["state"] == "freezing" and self._now() < until:
                await asyncio.sleep(LOOK_EVERY_S)
                row = await self._store.dataset(tenant_id, row["dataset_id"]) or row
        return dataset_view(row)
