"""An answer that is made while it is sent: whole, or visibly broken off."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

from fastapi import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from services.gateway.domain.problems import Problem
from services.gateway.routes.bounds import lasting
from services.gateway.service.exporting import File
from shared.tasks import end

TAKEN_WITHIN_S = 60
"""A chunk: whoever reads slower holds a transaction of the store."""
Opened = AbstractAsyncContextManager[File]


class FileResponse(Response):
    """A file to keep. What goes wrong before its first chunk is a problem document; later, the
    connection is broken, and never ended as if all had been sent."""

    def __init__(self, opened: Opened, within_s: float) -> None:
        """`within_s` is what the whole may take."""
        super().__init__()
        self._opened, self._within_s = opened, within_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it until it ends or its reader leaves; in both cases what it was made from ends."""
        if scope.get("http_version") == "1.0":
            # There a broken connection looks like the end of the file.
            raise Problem("bad-request", "A file that is made while it is sent needs HTTP/1.1.")
        lasting(Request(scope), self._within_s + TAKEN_WITHIN_S)  # we end it ourselves
        sending = asyncio.ensure_future(self._send(send))
        leaving = asyncio.ensure_future(_left(receive))
        try:
            await asyncio.wait(
                {sending, leaving}, timeout=self._within_s, return_when=asyncio.FIRST_COMPLETED
            )
            if sending.done():
                sending.result()
        finally:
            await end([sending, leaving])

    async def _send(self, send: Send) -> None:
        async with self._opened as file:
            chunks = aiter(file.chunks)
            chunk = await anext(chunks, b"")
            await send(
                {"type": "http.response.start", "status": self.status_code, "headers": _head(file)}
            )
            await _sent(send, chunk, chunks)


async def _sent(send: Send, chunk: bytes, rest: AsyncIterator[bytes]) -> None:
    await _taken(send, chunk)
    async for following in rest:
        await _taken(send, following)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _taken(send: Send, chunk: bytes) -> None:
    async with asyncio.timeout(TAKEN_WITHIN_S):
        await send({"type": "http.response.body", "body": chunk, "more_body": True})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _head(file: File) -> list[tuple[bytes, bytes]]:
    """Headers; those that hold for every answer come around it."""
    disposition = f'attachment; filename="{file.name}"'
    return [
        (b"content-type", file.content_type.encode()),
        (b"content-disposition", disposition.encode()),
        (b"cache-control", b"no-store"),
    ]
