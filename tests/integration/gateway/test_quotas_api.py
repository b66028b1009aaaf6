"""Quotas in a real Redis, shared by gateways."""

import asyncio
import time
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from services.gateway.domain.problems import AwayError
from services.gateway.domain.quotas import Kind, Quota
from services.gateway.service.quotas import Quotas
from services.gateway.store.quotas import RedisBuckets
from tests.integration.gateway.callers import Alone

SLOW = Quota(per_s=0.001, burst=50)


async def allowed(quotas: Quotas, tenant: str, times: int) -> int:
    told = await asyncio.gather(*(quotas.spend(tenant, Kind.READS) for _ in range(times)))
    return sum(one is not None and not one.wait_s for one in told)


async def test_gateways_share_one_bucket_per_tenant_and_kind(alone: Alone) -> None:
    tenant = f"t{uuid4().hex[:8]}"
    gateways = [
        Quotas(RedisBuckets(alone.redis), {Kind.READS: SLOW, Kind.WRITES: SLOW}, time.monotonic)
        for _ in range(3)
    ]
    assert sum([await allowed(one, tenant, 30) for one in gateways]) == SLOW.burst
    assert await gateways[0].spend(tenant, Kind.WRITES)
    told = await gateways[1].spend(tenant, Kind.READS)
    assert told is not None
    assert told.wait_s > 900, "the next token is a thousand seconds away"
    assert await allowed(gateways[2], f"{tenant}b", 100) == SLOW.burst


async def test_a_bucket_fills_again_by_redis_own_clock(alone: Alone) -> None:
    buckets, tenant = RedisBuckets(alone.redis), f"t{uuid4().hex[:8]}"
    fast = Quota(per_s=1_000_000, burst=10)
    for _ in range(5):
        assert (await buckets.take(tenant, Kind.READS, fast, 10)).tokens == 10
    left = await buckets.take(tenant, Kind.READS, SLOW, 1_000)
    assert left.tokens <= 10, "a smaller quota holds at once"
    assert await alone.redis.pttl(f"quota:{tenant}:reads") > 0, "and is forgotten some day"


async def test_without_redis_callers_are_answered_and_counted_here(alone: Alone) -> None:
    answer = await alone.without_redis.get("/ai/operations", params={"limit": 1})
    assert answer.status_code == 200
    assert answer.headers["ratelimit"].startswith('"reads";')


async def test_a_redis_that_is_away_is_said_to_be() -> None:
    nowhere = Redis.from_url("redis://127.0.0.1:1", socket_connect_timeout=1)
    with pytest.raises(AwayError):
        await RedisBuckets(nowhere).take("acme", Kind.READS, SLOW, 1)
    await nowhere.aclose()
