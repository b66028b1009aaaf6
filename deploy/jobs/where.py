"""Where the stores of one installation are."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import asyncpg
from asyncpg import Pool
from pydantic import SecretStr

from shared.delivery.redis import Client
from shared.stores import connect_redis


class Where(NamedTuple):
    """Postgres (as the owner), Redis, and the prefix of this installation's topics."""

    postgres_dsn: str
    redis_url: str
    prefix: str
    cluster: bool = False
    durable: bool = True
    """Whether Kafka keeps its log when it restarts."""


@asynccontextmanager
async def connected(where: Where) -> AsyncIterator[tuple[Pool, Client]]:
    """Postgres and Redis, closed afterwards."""
    pool = await asyncpg.create_pool(where.postgres_dsn, min_size=0, max_size=2)
    client = connect_redis(SecretStr(where.redis_url), cluster=where.cluster)
    try:
        yield pool, client
    finally:
        await client.aclose()
        await pool.close()
