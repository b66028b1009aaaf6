"""Read a request's body within its limits."""

import asyncio
from collections.abc import Callable

from fastapi import Request

from services.gateway.domain.problems import Problem

MAX_BODY = 1024 * 1024
JSON_TYPES = ("application/json",)
ARRIVES_WITHIN_S = 15


async def json_body(request: Request, bring: Callable[[int], None]) -> bytes:
    """The body of a JSON request; 413 and 415 as soon as they are certain.

    `bring` is told of every piece's size, and may refuse it.
    """
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip()
    if kind.lower() not in JSON_TYPES:
        raise Problem("unsupported-media-type", f"Send application/json, not {kind[:64]!r}.")
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding != "identity":
        raise Problem("unsupported-media-type", "Send the body without Content-Encoding here.")
    try:
        async with asyncio.timeout(ARRIVES_WITHIN_S):
            return await _whole(request, bring)
    except TimeoutError as error:
        detail = f"Send the whole body within {ARRIVES_WITHIN_S} s."
        raise Problem("timeout", detail) from error


async def _whole(request: Request, bring: Callable[[int], None]) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        bring(len(chunk))
        body += chunk
        if len(body) > MAX_BODY:
            raise Problem("too-large", f"A body has at most {MAX_BODY} bytes; send fewer events.")
    return bytes(body)
