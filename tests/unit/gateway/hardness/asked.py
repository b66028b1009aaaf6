"""A gateway in this process that reaches nothing, and somebody who asks it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import httpx2
from fastapi import FastAPI

from services.gateway.app import create_app
from services.gateway.domain.api_keys import Principal
from services.gateway.domain.permissions import ADMIN
from services.gateway.settings import GatewaySettings


class Anybody:
    """Takes everyone for an admin of one tenant."""

    async def principal(self, _: str | None) -> Principal:
        return Principal("acme", "key", ADMIN)


def gateway(**settings: Any) -> FastAPI:
    """Nothing is connected until it is asked for, and then nothing answers."""
    app = create_app(
        GatewaySettings(
            kafka_bootstrap_servers="127.0.0.1:1",
            redis_url="redis://127.0.0.1:1",
            postgres_dsn="postgresql://svc_api@127.0.0.1:1/none",
            secret_key="x" * 32,
            **settings,
        )
    )
    app.state.admission = Anybody()
    return app


@cache
def common() -> FastAPI:
    """One for all tests that change nothing of it: to make one takes half a second."""
    return gateway()


@asynccontextmanager
async def asking(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """A client without a network."""
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
        yield client
