"""Who calls the gateway in these tests, and what they send."""

from typing import Any, NamedTuple

import httpx2
from redis.asyncio import Redis

from tests.support.events import operation
from tests.support.system import Rows


class Clients(NamedTuple):
    """One client per kind of caller."""

    admin: httpx2.AsyncClient
    agent: httpx2.AsyncClient
    viewer: httpx2.AsyncClient
    stranger: httpx2.AsyncClient
    """An admin of another tenant."""
    nobody: httpx2.AsyncClient


class Alone(NamedTuple):
    """Who calls a gateway that has Postgres and Redis and nobody to fill them but the test."""

    admin: httpx2.AsyncClient
    agent: httpx2.AsyncClient
    viewer: httpx2.AsyncClient
    stranger: httpx2.AsyncClient
    """An admin of another tenant."""
    without_redis: httpx2.AsyncClient
    """An admin again, at a gateway whose Redis is away."""
    rows: Rows
    redis: Redis


class Served(NamedTuple):
    """An admin's client of a gateway over TCP that makes one export at a time, and its address."""

    admin: httpx2.AsyncClient
    port: int
    key: str


def fields(number: int, **changes: Any) -> dict[str, Any]:
    """An operation without what the gateway fills in."""
    event = operation(number) | changes
    for name in ("event_id", "occurred_at", "tenant_id"):
        del event[name]
    return event
