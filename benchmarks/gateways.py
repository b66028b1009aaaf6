"""Gateways that take as much as they can."""

import asyncio
from typing import NamedTuple

import httpx2

from benchmarks.servers import AUDIT, PARTITIONS, Servers, rss_mb
from deploy.jobs.keys import create_key
from deploy.jobs.topics import create_topics
from deploy.local.process import Child, free_port
from shared.kafka_settings import plain

READY_WITHIN_S = 120.0


class Gateway(NamedTuple):
    """One that is ready, and the key of who may all."""

    child: Child
    port: int
    key: str


async def unmetered(target: Servers, prefix: str) -> Gateway:
    """Make the topics of a prefix and a gateway without quotas, which would shed what is asked."""
    await create_topics(plain(target.bootstrap), prefix, PARTITIONS)
    made = await create_key(
        target.postgres_dsn, tenant="acme", role="admin", name=prefix, audit=AUDIT
    )
    port = free_port()
    settings = {"ASSAY_GATEWAY_PORT": str(port), "ASSAY_GATEWAY_WRITES_PER_S": "0"}
    child = target.service("gateway", prefix, **settings)
    try:
        await ready(child, port)
    except BaseException:
        child.stop(timeout_s=10)
        raise
    return Gateway(child, port, made.key)


async def ready(child: Child, port: int) -> None:
    """Wait until a service says that nothing is missing; it may have ended, and says so then."""
    async with asyncio.timeout(READY_WITHIN_S), httpx2.AsyncClient(timeout=5) as client:
        while True:
            rss_mb(child)
            try:
                if (await client.get(f"http://127.0.0.1:{port}/readyz")).is_success:
                    return
            except httpx2.TransportError:
                pass
            await asyncio.sleep(0.1)
