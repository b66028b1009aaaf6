"""Notification channels and their logs, and silences."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic_core import from_json

from services.gateway.domain.alerts import NameTakenError
from services.gateway.domain.notifications import (
    ChannelsPage,
    DeliveriesPage,
    DeliveryView,
    KeptChannel,
    KeptSilence,
    SilencesPage,
    SilenceTrial,
    channel_view,
    delivery_view,
    silence_view,
)
from services.gateway.domain.problems import wrong_field
from services.gateway.routes.access import allows, principal
from services.gateway.routes.bodies import whole_body
from services.gateway.routes.objects import (
    CREATED,
    GONE,
    actor,
    answer,
    once,
    removed,
    writes,
    written,
)
from services.gateway.routes.paging import At, Limit, next_cursor, page_after
from services.gateway.service.notifying import no_channel, no_silence
from shared.notifications.channel import Channel
from shared.notifications.silence import Silence

CHANNELS, SILENCES = "/ai/notification-channels", "/ai/silences"


def notification_routes() -> APIRouter:
    """Routes of channels and silences."""
    router = APIRouter(tags=["notifications"])
    _channel_routes(router)
    _log_routes(router)
    _silence_routes(router)
    return router


def _channel_routes(router: APIRouter) -> None:
    @router.get(
        CHANNELS,
        response_model=ChannelsPage,
        summary="Notification channels, newest first",
        **allows("alerts:read"),
    )
    async def channels(request: Request, limit: Limit = 50, cursor: At = None) -> Response:
        after, store = page_after(request, cursor), request.app.state.notifications
        rows = await store.channels(principal(request).tenant_id, after, limit + 1)
        items = [channel_view(row, whole=_may_write(request)) for row in rows[:limit]]
        following = next_cursor(request, rows, limit, "created_at", "channel_id")
        return answer({"items": items, "next_cursor": following})

    @router.post(
        CHANNELS,
        status_code=CREATED,
        response_model=KeptChannel,
        summary="Make a notification channel",
        **writes("alerts:write", Channel),
    )
    async def add(request: Request) -> Response:
        tenant_id = principal(request).tenant_id

        async def do(made: Channel) -> Any:
            try:
                kept = await request.app.state.notifying.add_channel(
                    tenant_id, made, actor(request)
                )
            except NameTakenError as error:
                raise wrong_field(
                    "name", "another channel has this name; choose one of its own"
                ) from error

            # Slack's URL is a secret: what is remembered for a repeat is only which one it was.
            return {"id": kept["id"]}

        made = from_json(bytes((await written(request, Channel, do, CREATED)).body))
        row = await request.app.state.notifications.channel(tenant_id, UUID(made["id"]))
        if row is None:
            raise no_channel(UUID(made["id"]))
        return answer(channel_view(row, whole=True), CREATED)

    @router.get(
        CHANNELS + "/{channel_id}",
        response_model=KeptChannel,
        summary="One notification channel",
        **allows("alerts:read"),
    )
    async def channel(request: Request, channel_id: UUID) -> Response:
        store = request.app.state.notifications
        row = await store.channel(principal(request).tenant_id, channel_id)
        if row is None:
            raise no_channel(channel_id)
        return answer(channel_view(row, whole=_may_write(request)))

    @router.delete(
        CHANNELS + "/{channel_id}",
        status_code=GONE,
        summary="Remove a notification channel and its log",
        **writes("alerts:write"),
    )
    async def delete(request: Request, channel_id: UUID) -> Response:
        async def do() -> None:
            store = request.app.state.notifications
            if not await store.delete_channel(principal(request).tenant_id, channel_id):
                raise no_channel(channel_id)

        return await removed(request, do)


def _log_routes(router: APIRouter) -> None:
    @router.post(
        CHANNELS + "/{channel_id}/test",
        response_model=DeliveryView,
        summary="Send a test to a channel, and say what came of it",
        **writes("alerts:write"),
    )
    async def test(request: Request, channel_id: UUID) -> Response:
        tenant_id, notifying = principal(request).tenant_id, request.app.state.notifying
        body = await whole_body(request, lambda _: None)
        return await once(request, body, lambda: notifying.test_channel(tenant_id, channel_id))

    @router.get(
        CHANNELS + "/{channel_id}/deliveries",
        response_model=DeliveriesPage,
        summary="What was told to a channel, and what became of it, newest first",
        **allows("alerts:read"),
    )
    async def deliveries(
        request: Request, channel_id: UUID, limit: Limit = 50, cursor: At = None
    ) -> Response:
        after, store = page_after(request, cursor), request.app.state.notifications
        tenant_id = principal(request).tenant_id
        rows = await store.deliveries(tenant_id, channel_id, after, limit + 1)
        if rows is None:
            raise no_channel(channel_id)
        following = next_cursor(request, rows, limit, "created_at", "delivery_id")
        items = [delivery_view(row) for row in rows[:limit]]
        return answer({"items": items, "next_cursor": following})


def _silence_routes(router: APIRouter) -> None:
    @router.get(
        SILENCES,
        response_model=SilencesPage,
        summary="Silences, newest first, past ones too",
        **allows("alerts:read"),
    )
    async def silences(request: Request, limit: Limit = 50, cursor: At = None) -> Response:
        after, store = page_after(request, cursor), request.app.state.notifications
        rows = await store.silences(principal(request).tenant_id, after, limit + 1)
        following = next_cursor(request, rows, limit, "created_at", "silence_id")
        return answer({"items": list(map(silence_view, rows[:limit])), "next_cursor": following})

    @router.post(
        SILENCES,
        status_code=CREATED,
        response_model=KeptSilence,
        summary="Silence alerts by their labels for a while",
        **writes("alerts:write", Silence),
    )
    async def add(request: Request) -> Response:
        async def do(made: Silence) -> Any:
            tenant_id, who = principal(request).tenant_id, actor(request)
            return await request.app.state.notifying.add_silence(tenant_id, made, who)

        return await written(request, Silence, do, CREATED)

    @router.get(
        SILENCES + "/{silence_id}",
        response_model=KeptSilence,
        summary="One silence",
        **allows("alerts:read"),
    )
    async def silence(request: Request, silence_id: UUID) -> Response:
        store = request.app.state.notifications
        row = await store.silence(principal(request).tenant_id, silence_id)
        if row is None:
            raise no_silence(silence_id)
        return answer(silence_view(row))

    @router.delete(
        SILENCES + "/{silence_id}",
        status_code=GONE,
        summary="End a silence; what goes on is told within half a minute",
        **writes("alerts:write"),
    )
    async def delete(request: Request, silence_id: UUID) -> Response:
        async def do() -> None:
            store = request.app.state.notifications
            if not await store.delete_silence(principal(request).tenant_id, silence_id):
                raise no_silence(silence_id)

        return await removed(request, do)

    @router.post(
        SILENCES + "/{silence_id}/test",
        response_model=SilenceTrial,
        summary="Which live alerts have what a silence names",
        **allows("alerts:write"),
    )
    async def test(request: Request, silence_id: UUID) -> Response:
        tenant_id, notifying = principal(request).tenant_id, request.app.state.notifying
        return answer(await notifying.test_silence(tenant_id, silence_id))


def _may_write(request: Request) -> bool:
    return "alerts:write" in principal(request).permissions
