"""What a request may take: places at the door, bytes of its head, and time; and its failures."""

import asyncio
import traceback
from pathlib import Path
from typing import NamedTuple

import structlog
from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.domain.problems import Problem
from services.gateway.routes.errors import answer
from services.gateway.routes.otlp_answers import PATHS as OTLP
from services.gateway.routes.writing import PATHS as WRITES
from services.gateway.service.shares import Place, Shares, overloaded

MOST_HEAD = 16 * 1024
MOST_HEADERS = 100
MOST_PATH = 2 * 1024
MOST_QUERY = 8 * 1024
ELSEWHERE_BOUNDED = OTLP | WRITES
"""Their gate counts requests and bytes."""
NEVER_REFUSED = frozenset({"/healthz", "/readyz", "/metrics"})
"""Whoever watches us must see us when there is most to do."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
SHOWN_FRAMES = 4

log = structlog.get_logger()


class Bound(NamedTuple):
    """How much of everything else than events is under way at once, and how long each may take."""

    most: int
    within_s: float


class Bounds:
    """Refuses what is too large or too much, ends what takes too long, hides what went wrong."""

    def __init__(self, app: ASGIApp, *, bound: Bound) -> None:
        self._app = app
        self._bound = bound
        self._under_way = 0
        self._shares = Shares()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sending = _Sending(send)
        try:
            # What no route takes is told so (405) before its length is.
            if scope["method"] in METHODS:
                check_head(scope)
            await self._admitted(scope, receive, sending)
        except Problem as problem:
            await _refuse(problem, scope, receive, sending)
        except ClientDisconnect:
            log.debug("left", **_of(scope))  # nobody is there to be answered
        except Exception as error:
            log.error("unexpected", kind=type(error).__name__, where=where(error), **_of(scope))
            hint = "The request's id says where to look in the log."
            await _refuse(Problem("internal", hint), scope, receive, sending)

    async def _admitted(self, scope: Scope, receive: Receive, sending: "_Sending") -> None:
        path = scope["path"]
        if path in ELSEWHERE_BOUNDED or path in NEVER_REFUSED:
            await self._timed(scope, receive, sending)
            return
        if self._under_way >= self._bound.most:
            raise overloaded("As many requests as there may be are under way")
        self._under_way += 1
        place = Place(self._shares, self._bound.most, self._leave)
        scope.setdefault("state", {})["place"] = place
        try:
            await self._timed(scope, receive, sending)
        finally:
            place.give_back()

    def _leave(self) -> None:
        self._under_way -= 1

    async def _timed(self, scope: Scope, receive: Receive, sending: "_Sending") -> None:
        try:
            async with asyncio.timeout(self._bound.within_s) as deadline:
                scope.setdefault("state", {})["deadline"] = deadline
                await self._app(scope, receive, sending)
        except TimeoutError as error:
            if not deadline.expired():
                raise
            log.warning("too_slow", **_of(scope))
            detail = "The answer took too long; whether anything was changed is unknown."
            raise Problem("too-slow", detail) from error


def lasting(request: Request, within_s: float) -> None:
    """Give this request more time than others have: a file of a million rows takes minutes."""
    deadline: asyncio.Timeout | None = getattr(request.state, "deadline", None)
    if deadline is not None:
        deadline.reschedule(asyncio.get_running_loop().time() + within_s)


def apart(request: Request) -> None:
    """Let this request last and take nobody's place: what it may take is bounded elsewhere."""
    deadline: asyncio.Timeout | None = getattr(request.state, "deadline", None)
    if deadline is not None:
        deadline.reschedule(None)
    place: Place | None = getattr(request.state, "place", None)
    if place is not None:
        place.give_back()


def check_head(scope: Scope) -> None:
    """Refuse heads that no client of ours sends, before anything is made of them."""
    if len(scope.get("raw_path") or b"") > MOST_PATH:
        raise Problem("uri-too-long", f"A path has at most {MOST_PATH} bytes.")
    if len(scope["query_string"]) > MOST_QUERY:
        raise Problem("uri-too-long", f"A query has at most {MOST_QUERY} bytes.")
    size = sum(len(name) + len(value) for name, value in scope["headers"])
    if size > MOST_HEAD or len(scope["headers"]) > MOST_HEADERS:
        detail = f"There are at most {MOST_HEADERS} headers, of {MOST_HEAD} bytes together."
        raise Problem("headers-too-large", detail)


def where(error: BaseException) -> list[str]:
    """The last places that an exception came through, the innermost last.

    Not its message: that may quote what was sent, or name a table.
    """
    frames = traceback.extract_tb(error.__traceback__)[-SHOWN_FRAMES:]
    return [f"{Path(one.filename).name}:{one.lineno} {one.name}" for one in frames]


class _Sending:
    """Knows whether an answer has begun."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.has_begun = False

    async def __call__(self, message: Message) -> None:
        self.has_begun = True
        await self._send(message)


async def _refuse(problem: Problem, scope: Scope, receive: Receive, sending: _Sending) -> None:
    # Once begun, an answer can only be broken off: the server closes what was not completed.
    if not sending.has_begun:
        await answer(Request(scope), problem)(scope, receive, sending)


def _of(scope: Scope) -> dict[str, str]:
    route = getattr(scope.get("route"), "path", "unmatched")
    return {"route": route, "request_id": scope.get("state", {}).get("request_id", "")}
