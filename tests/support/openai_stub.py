"""A stand-in for the API of OpenAI: answers as documented, without a model."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deploy.local.process import free_port
from shared.runtime import serve
from tests.support.system import running

ANSWERED_BY = "gpt-4o-mini-2024-07-18"
USAGE = {
    "prompt_tokens": 21,
    "completion_tokens": 5,
    "total_tokens": 26,
    "prompt_tokens_details": {"cached_tokens": 16, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 2, "audio_tokens": 0},
}
EMBEDDED = {"prompt_tokens": 8, "total_tokens": 8}
REFUSED = {"error": {"message": "slow down", "type": "requests", "code": "rate_limit_exceeded"}}
ALWAYS_REFUSED = "gpt-always-busy"
"""A model whose calls fail with 429."""


@asynccontextmanager
async def openai_stub() -> AsyncIterator[str]:
    """Serve it; yields the base URL for a client."""
    port = free_port()
    routes = [
        Route("/v1/chat/completions", _chat, methods=["POST"]),
        Route("/v1/embeddings", _embeddings, methods=["POST"]),
    ]
    async with running(serve(Starlette(routes=routes), port)):
        yield f"http://127.0.0.1:{port}/v1"


async def _chat(request: Request) -> Response:
    asked = await request.json()
    if asked["model"] == ALWAYS_REFUSED:
        return JSONResponse(REFUSED, 429)
    if asked.get("stream"):
        return Response(_streamed(), media_type="text/event-stream")
    message = {"role": "assistant", "content": "Four."}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return JSONResponse({**_head("chat.completion"), "choices": [choice], "usage": USAGE})


async def _embeddings(request: Request) -> Response:
    asked = await request.json()
    data = [{"object": "embedding", "index": 0, "embedding": [0.1, 0.2]}]
    body = {"object": "list", "model": asked["model"], "data": data, "usage": EMBEDDED}
    return JSONResponse(body)


def _head(kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": kind, "created": 1_800_000_000, "model": ANSWERED_BY}


def _streamed() -> str:
    deltas = [{"role": "assistant", "content": "Fo"}, {"content": "ur."}]
    chunks = [
        *({"choices": [{"index": 0, "delta": one, "finish_reason": None}]} for one in deltas),
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        {"choices": [], "usage": USAGE},
    ]
    lines = [json.dumps(_head("chat.completion.chunk") | one) for one in chunks]
    return "".join(f"data: {line}\n\n" for line in [*lines, "[DONE]"])
