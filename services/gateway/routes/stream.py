"""GET of what changes, as server-sent events."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event
from pydantic_core import to_json
from starlette.types import Receive, Scope, Send

from services.gateway.domain.stream import Event, Rhythm, Wanted, kinds_for
from services.gateway.routes.access import allows, principal, still_admitted
from services.gateway.routes.bounds import apart
from services.gateway.routes.objects import Text
from services.gateway.service.streams import Listener
from shared import clock
from shared.tasks import end

HEARTBEAT_S = 15.0
ASKED_AGAIN_EVERY_S = 10.0
"""Who it is; a key is looked up anew after 20 s, so that one that was revoked ends within 30 s."""
SAID_WITHIN_S = 2.0
"""The last words."""
COME_BACK_MS = 3_000
MOST_AT_ONCE = 100
KINDS = "Of `metrics`, `alerts` and `verdicts`, between commas; else all that the key may read."
MODEL = "Only what is of this model: an A/B test is of each model that one of its variants serves."
DESCRIPTION = """
First comes what holds: a `metrics` event per model (a line of `GET /ai/models`), an `alert` event
per alert that is not resolved (an item of `GET /ai/alerts`), a `verdict` event per A/B test that
runs, is paused or ended within 7 days; then `ready`. After that each object that changed, whole, in
its newest state: two changes while the reader was busy are one event. So nothing is lost by coming
back, and there is no `Last-Event-ID`.

`away` names the stores that do not answer (`{"stores": []}`: all are back); `gone` names an object
that is not there any more; `end` says why the stream ends (`time`, `credential`, `shutdown`): come
back. A comment is sent when nothing else was for 15 s. Alerts need `alerts:read`, verdicts
`experiments:read`.
"""
EXAMPLE = (
    'retry: 3000\n\nevent: metrics\ndata: {"model_id":"m","status":"good","sample":120}\n\n'
    'event: ready\ndata: {"kinds":["alerts","metrics","verdicts"],"model_id":null}\n\n'
)


def stream_routes() -> APIRouter:
    """The route of changes."""
    router = APIRouter(tags=["metrics"])

    @router.get(
        "/ai/stream",
        summary="Metrics, alerts and verdicts as they change, as server-sent events",
        description=DESCRIPTION,
        response_class=Response,
        responses=_documented(),
        **allows("metrics:read"),
    )
    async def stream(
        request: Request,
        model_id: Annotated[Text, Query(description=MODEL)] = None,
        kinds: Annotated[
            str | None,
            Query(
                max_length=64,
                description=KINDS,
                json_schema_extra={
                    "pattern": "^(metrics|alerts|verdicts)(,(metrics|alerts|verdicts)){0,4}$"
                },
            ),
        ] = None,
    ) -> Response:
        who = principal(request)
        wanted = Wanted(kinds_for(kinds, who.permissions), model_id)
        streams = request.app.state.streams
        opened = streams.opened(who.tenant_id, wanted)
        return StreamResponse(opened, streams.bounds.lasts_s)

    return router


class StreamResponse(EventSourceResponse):
    """One stream: it ends when its time is over, its reader leaves, does not read, or may not.

    FastAPI's own way of sending events (a route that yields) buffers some, which would be old by
    the time a slow reader gets them, and cannot tell that nobody reads.
    """

    def __init__(
        self,
        opened: AbstractAsyncContextManager[Listener],
        lasts_s: float,
        now: Callable[[], float] = clock.monotonic,
    ) -> None:
        super().__init__(())
        self._opened, self._lasts_s, self._now = opened, lasts_s, now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it until it ends; a refusal is a problem document, as nothing was sent by then."""
        request = Request(scope)
        async with self._opened as listener:
            apart(request)
            sending = asyncio.ensure_future(self._send(listener, send))
            watching = asyncio.ensure_future(_watch(request, listener))
            leaving = asyncio.ensure_future(_left(receive))
            tasks = {sending, watching, leaving}
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                if not leaving.done():
                    await asyncio.wait({sending}, timeout=SAID_WITHIN_S)
                if sending.done():
                    sending.result()
            finally:
                await end(tasks)

    async def _send(self, listener: Listener, send: Send) -> None:
        rhythm = Rhythm(self._now(), self._lasts_s, HEARTBEAT_S)
        headers = [*self.raw_headers, (b"x-accel-buffering", b"no")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await _put(send, format_sse_event(retry=COME_BACK_MS))
        is_ready = False
        while True:
            chunk = _chunk(listener.take(MOST_AT_ONCE))
            if not chunk and not is_ready:
                chunk, is_ready = _frame("ready", _heard(listener.wanted)), True
            if not chunk and rhythm.is_silent(self._now()):
                chunk = KEEPALIVE_COMMENT
            if chunk and listener.ended is None:
                await _put(send, chunk)
                rhythm.spoke_at = self._now()
            else:
                await listener.news(rhythm.wait_s(self._now()))
            if rhythm.is_over(self._now()):
                listener.end("time")
            if listener.ended is not None:
                break
        last = _frame("end", {"reason": listener.ended})
        await send({"type": "http.response.body", "body": last, "more_body": False})


async def _watch(request: Request, listener: Listener) -> None:
    """Return once the stream is to end: it may be blocked where it sends."""
    while listener.ended is None:
        await listener.over(ASKED_AGAIN_EVERY_S)
        if listener.ended is None and not await still_admitted(request):
            listener.end("credential")


async def _put(send: Send, chunk: bytes) -> None:
    # It waits while nobody reads, until the connection gives its reader up: `BoundedProtocol`.
    await send({"type": "http.response.body", "body": chunk, "more_body": True})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _chunk(events: list[Event]) -> bytes:
    return b"".join(_frame(one.name, one.body) for one in events)


def _frame(name: str, body: Any) -> bytes:
    return format_sse_event(data_str=to_json(body).decode(), event=name)


def _heard(wanted: Wanted) -> dict[str, Any]:
    return {"kinds": sorted(wanted.kinds), "model_id": wanted.model_id}


def _documented() -> dict[int | str, dict[str, Any]]:
    schema = {"type": "string", "description": "Events; their data is JSON."}
    content = {"text/event-stream": {"schema": schema, "example": EXAMPLE}}
    return {
        200: {"description": "Events until the stream ends.", "content": content},
        429: {"description": "The tenant has as many streams as it may, or asks too often."},
        503: {"description": "As many streams as there may be, or this gateway is to stop."},
    }
