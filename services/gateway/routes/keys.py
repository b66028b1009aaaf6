"""API keys: listed, made, rotated and revoked."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel
from pydantic_core import from_json

from services.gateway.domain.keys import (
    MANAGES,
    KeptKey,
    KeysPage,
    KeyWanted,
    MadeKey,
    RotationWanted,
    key_view,
)
from services.gateway.routes.access import allows, principal
from services.gateway.routes.objects import (
    CREATED,
    GONE,
    answer,
    removed,
    writes,
    written,
)
from services.gateway.routes.paging import At, Limit, next_cursor, page_after
from services.gateway.service.keys import Made, no_key
from shared.clock import utc_now

KEYS = "/ai/api-keys"

M = TypeVar("M", bound=BaseModel)


def key_routes() -> APIRouter:
    """Routes of API keys."""
    router = APIRouter(tags=["keys"])
    _reads(router)
    _writes(router)
    return router


def _reads(router: APIRouter) -> None:
    @router.get(
        KEYS,
        response_model=KeysPage,
        summary="API keys, newest first, ended ones too; never their secrets",
        **allows(MANAGES),
    )
    async def keys(request: Request, limit: Limit = 50, cursor: At = None) -> Response:
        after, now = page_after(request, cursor), utc_now()
        rows = await request.app.state.keys.keys(principal(request).tenant_id, after, limit + 1)
        following = next_cursor(request, rows, limit, "created_at", "id")
        items = [key_view(row, now) for row in rows[:limit]]
        return answer({"items": items, "next_cursor": following})

    @router.get(
        KEYS + "/{key_id}", response_model=KeptKey, summary="One API key", **allows(MANAGES)
    )
    async def key(request: Request, key_id: UUID) -> Response:
        return answer(await _shown(request, key_id))


def _writes(router: APIRouter) -> None:
    @router.post(
        KEYS,
        status_code=CREATED,
        response_model=MadeKey,
        summary="Make an API key; it is shown once",
        **writes(MANAGES, KeyWanted),
    )
    async def make(request: Request) -> Response:
        keys, who = request.app.state.key_keeping, principal(request)
        return await _made(request, KeyWanted, lambda wanted: keys.make(who, wanted))

    @router.post(
        KEYS + "/{key_id}/rotate",
        status_code=CREATED,
        response_model=MadeKey,
        summary="Replace an API key; the old one goes on for `overlap_s`",
        **writes(MANAGES, RotationWanted, may_be_empty=True),
    )
    async def rotate(request: Request, key_id: UUID) -> Response:
        keys, who = request.app.state.key_keeping, principal(request)
        return await _made(
            request,
            RotationWanted,
            lambda wanted: keys.rotate(who, key_id, wanted),
            may_be_empty=True,
        )

    @router.delete(
        KEYS + "/{key_id}",
        status_code=GONE,
        summary="Revoke an API key; within a minute no gateway takes it",
        **writes(MANAGES),
    )
    async def revoke(request: Request, key_id: UUID) -> Response:
        who = principal(request)
        return await removed(request, lambda: request.app.state.key_keeping.revoke(who, key_id))


async def _made(
    request: Request,
    model: type[M],
    do: Callable[[M], Awaitable[Made]],
    *,
    may_be_empty: bool = False,
) -> Response:
    """What is remembered for a repeat is only which key it was."""
    secret: list[str] = []

    async def once(wanted: M) -> Any:
        made = await do(wanted)
        secret.append(made.key)
        return {"id": made.row["id"]}

    response = await written(request, model, once, CREATED, may_be_empty=may_be_empty)
    shown = await _shown(request, UUID(from_json(bytes(response.body))["id"]))
    made = answer(shown | {"key": secret[0] if secret else None}, CREATED)
    made.headers["Cache-Control"] = "no-store"
    return made


async def _shown(request: Request, key_id: UUID) -> dict[str, Any]:
    row = await request.app.state.keys.key(principal(request).tenant_id, key_id)
    if row is None:
        raise no_key(key_id)
    return key_view(row, utc_now())
