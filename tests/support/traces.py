"""Looks for somebody in every store: all tables, and all that Redis holds."""

from collections.abc import Iterable
from typing import Any

import asyncpg
from redis.asyncio import Redis

# Text as it is shown: bytes as hex digits, and base64 in headers of dead letters is not a name.
_TABLES = """
    SELECT n.nspname, c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.relkind = 'r' AND n.nspname IN ('public', 'partitions')
"""


async def in_postgres(dsn: str, *texts: str) -> dict[str, int]:
    """Rows by table, of all tables there are, in which one of some texts stands."""
    needles = [needle for text in texts for needle in (text, text.encode().hex())]
    connection = await asyncpg.connect(dsn)
    try:
        found = {}
        for schema, table in await connection.fetch(_TABLES):
            count = await connection.fetchval(
                f'SELECT count(*) FROM {schema}."{table}" AS t'
                " WHERE EXISTS (SELECT FROM unnest($1::text[]) AS n (needle)"
                " WHERE position(n.needle IN t::text) > 0)",
                needles,
            )
            if count:
                found[table] = count
        return found
    finally:
        await connection.close()


async def in_redis(url: str, *texts: str) -> list[bytes]:
    """Keys in whose name or content one of some texts stands."""
    needles = [text.encode() for text in texts]
    async with Redis.from_url(url) as client:
        return [
            key
            async for key in client.scan_iter(count=1_000)
            if _holds(key, needles) or _holds(await _content(client, key), needles)
        ]


def _holds(content: bytes, needles: Iterable[bytes]) -> bool:
    return any(needle in content for needle in needles)


async def _content(client: Redis, key: bytes) -> bytes:
    """All that a key holds, one after the other."""
    kind = (await client.type(key)).decode()
    held: Any
    if kind == "string":
        held = [await client.get(key) or b""]
    elif kind == "hash":
        held = [part for pair in (await client.hgetall(key)).items() for part in pair]
    elif kind == "set":
        held = await client.smembers(key)
    elif kind == "zset":
        held = await client.zrange(key, 0, -1)
    elif kind == "list":
        held = await client.lrange(key, 0, -1)
    elif kind == "stream":
        held = [repr(await client.xrange(key)).encode()]
    else:  # it has just expired
        held = []
    return b"\n".join(held)
