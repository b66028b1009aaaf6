"""Around every request: an id, safe headers, one log line, two metrics."""

import re
from uuid import uuid4

import structlog
from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.routes.headers import guarded
from shared import clock

REQUESTS = Counter("assay_http_requests", "Requests", ["method", "route", "status"])
SECONDS = Histogram("assay_http_seconds", "Duration", ["method", "route"])
SANE_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

log = structlog.get_logger()


class Around:
    """Plain ASGI: it adds microseconds, not a task per request."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        self._https = https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = clock.monotonic()
        given = next((v for k, v in scope["headers"] if k == b"x-request-id"), b"")
        request_id = given if SANE_ID.fullmatch(given) else uuid4().hex.encode()
        state = scope.setdefault("state", {})
        state["request_id"] = request_id.decode()
        status = 500

        async def tagged(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [*message.get("headers", ()), (b"x-request-id", request_id)]
                message["headers"] = guarded(
                    [*headers, *state.get("headers", ())], https=self._https
                )
            await send(message)

        try:
            await self._app(scope, receive, tagged)
        finally:
            self._tell(scope, status, clock.monotonic() - started, request_id)

    def _tell(self, scope: Scope, status: int, seconds: float, request_id: bytes) -> None:
        route = getattr(scope.get("route"), "path", "unmatched")
        # A method is the caller's own word, and a metric keeps each for ever.
        method = scope["method"] if scope["method"] in METHODS else "other"
        REQUESTS.labels(method, route, str(status)).inc()
        SECONDS.labels(method, route).observe(seconds)
        log.debug(
            "request",
            method=method,
            route=route,
            status=status,
            ms=round(seconds * 1000, 1),
            request_id=request_id.decode(),
        )
