"""Pages of other origins: none may read an answer unless its origin was named, letter by letter."""

from collections.abc import Sequence

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
ASKED = (
    *("Authorization", "Content-Type", "Idempotency-Key", "If-None-Match"),
    *("X-API-Key", "X-Request-Id", "traceparent", "tracestate"),
)
SHOWN = (
    *("Content-Disposition", "ETag", "RateLimit", "RateLimit-Policy"),
    *("Retry-After", "X-Request-Id"),
)
REMEMBERED_S = 600


def install_cors(app: FastAPI, origins: Sequence[str]) -> None:
    """Let pages of these origins ask with a key of their own; cookies never go along."""
    if origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(origins),
            allow_methods=list(METHODS),
            allow_headers=list(ASKED),
            expose_headers=list(SHOWN),
            max_age=REMEMBERED_S,
        )
