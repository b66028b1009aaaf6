"""Reset fences after a broker that keeps nothing has started anew; never anything else."""

import asyncpg
from redis.asyncio import Redis


async def reset_fences(postgres_dsn: str, redis_url: str, prefix: str) -> int:
    """Let every consumer of `prefix` begin at offset 0 again; answers how many fences moved.

    The local broker forgets its log when it stops. Offsets then mean nothing, while rows, cells
    and the digests of seen events stay: what is published again is still a duplicate.
    """
    connection = await asyncpg.connect(postgres_dsn)
    try:
        moved = await connection.fetch(
            "UPDATE consumer_fence SET next_offset = 0, epoch = epoch + 1"
            " WHERE starts_with(topic, $1) RETURNING 1",
            prefix,
        )
    finally:
        await connection.close()
    count = len(moved)
    async with Redis.from_url(redis_url) as client:
        async for key in client.scan_iter(match=f"{{{prefix}*}}:fence"):
            await client.hset(key, "next", "0")
            await client.hincrby(key, "epoch", 1)
            count += 1
    return count
