"""Connections to Postgres and Redis, made so that they survive the server's restarts."""

import asyncio
import sys
from collections.abc import Awaitable, Callable

import asyncpg
import structlog
from asyncpg import Pool
from pydantic import SecretStr
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from shared.store_errors import store_refusal

POOL_MOST = 8
COMMAND_TIMEOUT_S = 35
REDIS_TIMEOUT_S = 10
PRIVILEGED = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"

log = structlog.get_logger()


async def connect_postgres(
    dsn: SecretStr, *, service: str, synchronous: bool = True, most: int = POOL_MOST
) -> Pool:
    """A pool under the service's own role; ends the process if that role escapes row security.

    `synchronous=False` is for consumers of a log that lasts: offset and rows are in the same
    write-ahead log, so a crash of the server loses both together and the records come again.
    """
    pool = await asyncpg.create_pool(
        dsn.get_secret_value(),
        min_size=0,
        max_size=most,
        command_timeout=COMMAND_TIMEOUT_S,
        server_settings={
            "application_name": f"assay-{service}",
            "synchronous_commit": "on" if synchronous else "off",
            "timezone": "UTC",
        },
    )
    try:
        is_privileged = await pool.fetchval(PRIVILEGED)
    except Exception as error:
        pool.terminate()
        if why := store_refusal(error):
            log.error("postgres_refuses", why=why)
        raise
    if is_privileged:
        await pool.close()
        sys.exit(
            "ASSAY_POSTGRES_DSN names a role that row level security does not bind; "
            f"use the service's own role (for {service} see docs/configuration.md)."
        )
    return pool


def connect_redis(url: SecretStr, *, cluster: bool) -> Redis | RedisCluster:
    """A client that connects on first use and answers bytes.

    It never retries by itself: after a lost answer only the fence knows what was applied.
    """
    kind = RedisCluster if cluster else Redis
    return kind.from_url(
        url.get_secret_value(),
        socket_timeout=REDIS_TIMEOUT_S,
        socket_connect_timeout=REDIS_TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
        health_check_interval=15,
    )


def pooled(pool: Pool) -> Callable[[], Awaitable[Pool]]:
    """A pool that is there, for those who ask for one each time."""

    async def given() -> Pool:
        return pool

    return given


class LazyPostgres:
    """A pool that is made when first needed, for services that can do without for a while."""

    def __init__(self, dsn: SecretStr, *, service: str, most: int = POOL_MOST) -> None:
        self._dsn = dsn
        self._service = service
        self._most = most
        self._pool: Pool | None = None
        self._making = asyncio.Lock()

    async def pool(self) -> Pool:
        """The pool; raises what connecting raises while Postgres is away."""
        if self._pool is None:
            async with self._making:  # who comes while it is made takes the same one
                if self._pool is None:
                    self._pool = await connect_postgres(
                        self._dsn, service=self._service, most=self._most
                    )
        return self._pool

    async def close(self) -> None:
        """Close it, if it was ever made."""
        if self._pool is not None:
            self._pool.terminate()
