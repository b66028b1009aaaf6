"""How a model is: as it was judged last, else judged anew from stored minutes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from services.gateway.domain.answers import stamped
from services.gateway.domain.health import LastChanges, Part, judged_afresh, parts_of
from services.gateway.domain.problems import AwayError
from services.gateway.service.stored import BookOf, Minutes, looked_back, unknown_model
from shared.clock import Clock
from shared.keys import STATUS_FIELD


class Views(Protocol):
    """Views that are kept ready."""

    async def view(self, tenant_id: str, model_id: str, field: str) -> Any:
        """One ready field."""


class Changes(Protocol):
    """What became of models."""

    async def last_changes(
        self, tenant_id: str, model_id: str, parts: Sequence[Part]
    ) -> LastChanges:
        """The status that each of a model's parts entered last, and when."""


class Condition:
    """The status of one model at a time."""

    def __init__(
        self, views: Views, minutes: Minutes, book_of: BookOf, changes: Changes, now: Clock
    ) -> None:
        self._views = views
        self._minutes = minutes
        self._book_of = book_of
        self._changes = changes
        self._now = now

    async def status(self, tenant_id: str, model_id: str) -> bytes:
        """The JSON of GET /ai/models/{model_id}/status."""
        try:
            ready = await self._views.view(tenant_id, model_id, STATUS_FIELD)
        except AwayError:
            return await self._afresh(tenant_id, model_id, stale=True)
        if ready is not None:
            return stamped(ready.content, ready.as_of_ms, self._now())
        return await self._afresh(tenant_id, model_id, stale=False)

    async def _afresh(self, tenant_id: str, model_id: str, *, stale: bool) -> bytes:
        now = self._now()
        sums = await looked_back(self._minutes, tenant_id, model_id, now)
        if not any(sums.values()) and not await self._minutes.model_exists(tenant_id, model_id):
            raise unknown_model(model_id)
        limits = (await self._book_of(tenant_id, model_id)).of(tenant_id, model_id)
        parts = parts_of(sums)
        last = await self._changes.last_changes(tenant_id, model_id, list(parts))
        view = judged_afresh(model_id, parts, limits, last, stale=stale)
        return stamped(view.model_dump_json().encode(), _ms(now), now)


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
