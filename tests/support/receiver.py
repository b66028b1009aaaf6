"""Somebody who is told: an HTTP server that keeps what it gets, and answers as a test wants."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from deploy.local.process import free_port
from shared.runtime import serve
from tests.support.system import running


class Got(NamedTuple):
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def content(self) -> Any:
        """Its JSON."""
        return json.loads(self.body)


@dataclass
class Receiver:
    """Answers 200 on every path, unless a test said something else of one."""

    url: str
    got: list[Got] = field(default_factory=list)
    answers: dict[str, Callable[[], int]] = field(default_factory=dict)
    """Path -> what to answer; 0 hangs."""
    hangs: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """What hangs is let go at the end: the server waits for it."""

    def at(self, path: str) -> list[Got]:
        """What came on one path, in order."""
        return [one for one in self.got if one.path == path]

    async def take(self, request: Request) -> Response:
        """Keep a request, then answer it."""
        path = request.url.path
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.got.append(Got(path, headers, await request.body()))
        status = self.answers.get(path, lambda: 200)()
        if status == 0:
            self.hangs += 1
            await self.over.wait()
        return Response(status_code=status)


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver on a port of its own."""
    port = free_port()
    receiver = Receiver(f"http://127.0.0.1:{port}")
    app = Starlette(routes=[Route("/{rest:path}", receiver.take, methods=["POST"])])
    async with running(serve(app, port)):
        try:
            yield receiver
        finally:
            receiver.over.set()
