"""Twice of what one gateway takes, for a minute: it sheds politely, stays quick and small, and
loses nothing that it acknowledged.

What it takes at most is measured first, on the same machine. Ingest begins afterwards, so that it
takes no time from the gateway; what it stores is counted in Postgres.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import asyncpg
import httpx2

from benchmarks.gateways import unmetered
from benchmarks.offering import EVENTS, Found, Wanted, offered
from benchmarks.servers import Servers, rss_mb
from deploy.local.process import Child

FEW, MANY = 16, 400
"""Connections: enough to keep it busy; more than may ever wait."""
MEASURED_S, LASTS_S = 10.0, 60.0
TIMES = 2.0
LOOKED_EVERY_S = 0.5
STORED_WITHIN_S, QUIET_S = 400.0, 5.0
STORED = """
    SELECT split_part(operation_id, '-', 2)::int AS batch, count(*) AS events
      FROM ai_model_operations
     WHERE starts_with(operation_id, 'overload-')
     GROUP BY 1
"""


async def overload(target: Servers) -> dict[str, Any]:
    """What was taken, shed and stored, and how the gateway bore it."""
    prefix = f"o{uuid4().hex[:6]}."
    gateway, port, key = await unmetered(target, prefix)
    try:
        most = await offered(Wanted(port, key, MEASURED_S, FEW, 0, 0.0))
        per_s = len(most.acknowledged) / MEASURED_S
        async with _watched(gateway, port) as seen:
            wanted = Wanted(port, key, LASTS_S, MANY, most.sent, TIMES * per_s)
            found = await offered(wanted)
    finally:
        gateway.stop(timeout_s=20)
    acknowledged = [*most.acknowledged, *found.acknowledged]
    lost = await _lost(target, prefix, acknowledged)
    return _told(per_s, found, seen) | {"overload_lost_events": lost}


def _told(per_s: float, found: Found, seen: dict[str, float]) -> dict[str, Any]:
    took_ms = sorted(found.took_ms)
    return {
        "overload_most": round(per_s * EVENTS),
        "overload_offered": round(found.sent * EVENTS / LASTS_S),
        "overload_taken": round(len(took_ms) * EVENTS / LASTS_S),
        "overload_shed_requests": found.shed,
        "overload_shed_without_time": found.rude,
        "overload_other_answers": sum(found.other.values()),
        "overload_others": found.other,
        "overload_unsent": found.unsent,
        "overload_ack_p50_ms": took_ms[len(took_ms) // 2],
        "overload_ack_p99_ms": took_ms[int(0.99 * (len(took_ms) - 1))],
        **seen,
    }


@asynccontextmanager
async def _watched(gateway: Child, port: int) -> AsyncIterator[dict[str, float]]:
    """How much it grows meanwhile, and how long somebody who watches it waits at most."""
    before = rss_mb(gateway)
    seen = {"overload_rss_growth_mb": 0.0, "overload_health_max_ms": 0.0}

    async def watch() -> None:
        async with httpx2.AsyncClient(timeout=30) as client:
            while True:
                started = time.perf_counter()
                (await client.get(f"http://127.0.0.1:{port}/healthz")).raise_for_status()
                took_ms = round(1_000 * (time.perf_counter() - started), 1)
                growth_mb = round(rss_mb(gateway) - before, 1)
                seen["overload_health_max_ms"] = max(seen["overload_health_max_ms"], took_ms)
                seen["overload_rss_growth_mb"] = max(seen["overload_rss_growth_mb"], growth_mb)
                await asyncio.sleep(LOOKED_EVERY_S)

    watching = asyncio.ensure_future(watch())
    try:
        yield seen
        if watching.done():
            watching.result()  # it was not answered
    finally:
        watching.cancel()


async def _lost(target: Servers, prefix: str, acknowledged: list[int]) -> int:
    """Acknowledged events that are not in Postgres once all of the topic is read."""
    ingest = target.service("ingest", prefix)
    connection = await asyncpg.connect(target.postgres_dsn)
    try:
        await _read(target, prefix, len(acknowledged) * EVENTS)
        rows = await connection.fetch(STORED, timeout=120)
    finally:
        ingest.stop()
        await connection.close()
    stored = {row["batch"]: row["events"] for row in rows}
    return sum(EVENTS - stored.get(batch, 0) for batch in acknowledged)


async def _read(target: Servers, prefix: str, least: int) -> None:
    """Return when ingest has read so many, and for a while has found no more."""
    give_up_at = time.perf_counter() + STORED_WITHIN_S
    at, since = 0, time.perf_counter()
    while at < least or time.perf_counter() - since < QUIET_S:
        if time.perf_counter() > give_up_at:
            return  # what is missing is counted as lost
        await asyncio.sleep(0.2)
        now_at = await target.ingest_position(prefix)
        if now_at != at:
            at, since = now_at, time.perf_counter()
