"""Reviews: taken from a queue, said once, and sent as feedback of a reviewer."""

from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from pydantic_core import from_json, to_json

from services.gateway.domain.problems import Problem
from services.gateway.domain.reviews import (
    LEAST_FOR_AGREEMENT,
    NOTHING_LEFT,
    THUMBS,
    Place,
    Review,
    queue_view,
    reviewed,
)
from shared.clock import Clock
from shared.privacy.mask import Mask
from shared.privacy.texts import TEXTS
from shared.topics import Topic

Ask = Callable[[str], Awaitable[dict[str, Any]]]
QUESTIONS = {"rating": "ordinal", **dict.fromkeys(THUMBS, "nominal")}


class Store(Protocol):
    """Where queues are kept."""

    async def queue(self, tenant_id: str, queue_id: UUID) -> Any: ...

    async def next(
        self, tenant_id: str, queue_id: UUID, reviewer: str, now: datetime
    ) -> tuple[Any, datetime] | None: ...

    async def taken(self, place: Place) -> Any: ...

    async def use(
        self, place: Place, said: dict[str, Any], now: datetime, taken_at: datetime
    ) -> bool: ...

    async def reviews(self, tenant_id: str, queue_id: UUID) -> Sequence[Any]: ...


class Take(Protocol):
    """Takes events in."""

    async def take(
        self, kind: Topic, body: bytes, tenant_id: str, trace: Mapping[str, str]
    ) -> dict[str, Any]: ...


class Texts:
    """What may be kept of the texts of a review."""

    def __init__(self, is_content_free: Callable[[str], Awaitable[bool]]) -> None:
        self._is_content_free = is_content_free
        self._mask: Mask | None = None

    @asynccontextmanager
    async def masked(
        self, masking: AbstractAsyncContextManager[Mask | None]
    ) -> AsyncIterator[None]:
        """Texts pass this mask while the block lasts."""
        async with masking as self._mask:
            yield

    async def kept(self, tenant_id: str, said: dict[str, Any]) -> dict[str, Any]:
        """A review as it may be stored."""
        named: list[str] = [name for name in TEXTS if name in said]
        if not named:
            return said
        if await self._is_content_free(tenant_id):
            return {name: value for name, value in said.items() if name not in named}
        if self._mask is None:
            return said
        hidden = await self._mask.texts([said[name] for name in named])
        texts: dict[str, Any] = dict(zip(named, hidden, strict=True))
        kept = {name: texts.get(name, value) for name, value in said.items()}
        return {name: value for name, value in kept.items() if value is not None}


class Reviewing:
    """What reviewers do."""

    def __init__(self, store: Store, intake: Take, ask: Ask, now: Clock, texts: Texts) -> None:
        self._texts = texts
        self._store = store
        self._intake = intake
        self._ask = ask
        self._now = now

    async def queue(self, tenant_id: str, queue_id: UUID) -> dict[str, Any]:
        """A queue, and how far its reviewers agree."""
        row = await self._store.queue(tenant_id, queue_id)
        said = await self._store.reviews(tenant_id, queue_id)
        return {**queue_view(row), "agreement": await self._agreement(said)}

    async def next(self, tenant_id: str, queue_id: UUID, reviewer: str) -> dict[str, Any]:
        """The item that a reviewer has, or now takes."""
        found = await self._store.next(tenant_id, queue_id, reviewer, self._now())
        if found is None:
            return NOTHING_LEFT
        item, expires_at = found
        return {**dict(item), "expires_at": expires_at}

    async def review(self, place: Place, review: Review) -> dict[str, Any]:
        """Use a place, then send what was said; the same again is sent again, as the same event."""
        now, said = self._now(), review.model_dump(exclude_none=True)
        kept = await self._texts.kept(place.tenant_id, said)
        row = await self._store.taken(place)
        if row is None:
            await self._store.queue(place.tenant_id, place.queue_id)  # else 404
            raise Problem("conflict", f"{place.reviewer} has not taken this; ask for the next.")
        if row["reviewed_at"] is not None and from_json(row["said"]) != kept:
            raise Problem("conflict", "This was reviewed already; send feedback to change it.")
        if row["reviewed_at"] is None and not await self._store.use(
            place, kept, now, row["taken_at"]
        ):
            raise Problem("conflict", "The time to review this is over; ask for the next.")
        event = reviewed(place.queue_id, place.operation_id, place.reviewer, row["taken_at"], said)
        return await self._intake.take(Topic.FEEDBACK, to_json(event), place.tenant_id, {})

    async def _agreement(self, reviews: Sequence[Any]) -> dict[str, Any]:
        """Alpha of each question over the items that at least two answered."""
        said: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in reviews:
            said[row["operation_id"]].append(from_json(row["said"]))
        units = {
            name: [
                answers
                for all_ in said.values()
                if len(answers := [one[name] for one in all_ if name in one]) > 1
            ]
            for name in QUESTIONS
        }
        enough = {name: one for name, one in units.items() if len(one) >= LEAST_FOR_AGREEMENT}
        found: dict[str, Any] = {}
        if enough:
            asked = {
                "do": "agreement",
                "questions": [
                    {"level": QUESTIONS[name], "units": one} for name, one in enough.items()
                ],
            }
            answer = await self._ask(to_json(asked).decode())
            found = dict(zip(enough, answer["alphas"], strict=True))
        return {name: _told(len(units[name]), found.get(name)) for name in QUESTIONS}


def _told(items: int, alpha: dict[str, Any] | None) -> dict[str, Any]:
    if alpha is not None:
        return {name: alpha[name] for name in ("value", "low", "high")} | {
            "items": items,
            "reason": None,
        }
    why = f"{items} items with two answers; {LEAST_FOR_AGREEMENT} are needed"
    if items >= LEAST_FOR_AGREEMENT:
        why = "all answers are the same"
    return {"value": None, "low": None, "high": None, "items": items, "reason": why}
