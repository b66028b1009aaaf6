"""How often a tenant may ask, and that it is nobody else's matter."""

import asyncio
import re

import pytest
from google.rpc import code_pb2, status_pb2
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.domain.problems import AwayError
from services.gateway.domain.quotas import Bucket, Kind, Quota, Taken, Told
from services.gateway.service.quotas import AWAY_S, Quotas
from tests.unit.gateway.hardness.asked import asking, gateway

QUOTA = Quota(per_s=100, burst=20)


class Time:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


class OneProcess:
    """Shared buckets that are a dictionary; counts how often they were asked."""

    def __init__(self, now: Time) -> None:
        self._now, self._buckets = now, dict[tuple[str, Kind], Bucket]()
        self.asked: list[str] = []
        self.is_away = False
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.slow: set[str] = set()

    async def take(self, tenant_id: str, kind: Kind, quota: Quota, want: int) -> Taken:
        self.asked.append(tenant_id)
        if self.is_away:
            raise AwayError("redis")
        if tenant_id in self.slow:
            await self.may_answer.wait()
        bucket = self._buckets.setdefault((tenant_id, kind), Bucket(quota, self._now()))
        return bucket.take(want, self._now())


def counted(now: Time, quota: Quota = QUOTA) -> tuple[Quotas, OneProcess]:
    buckets = OneProcess(now)
    return Quotas(buckets, {Kind.READS: quota, Kind.WRITES: quota}, now), buckets


async def allowed(quotas: Quotas, tenant: str, times: int, kind: Kind = Kind.READS) -> int:
    told = [await quotas.spend(tenant, kind) for _ in range(times)]
    return sum(one is not None and not one.wait_s for one in told)


async def test_a_tenant_may_ask_its_burst_at_once_and_its_rate_for_ever() -> None:
    now = Time()
    quotas, _ = counted(now)
    assert await allowed(quotas, "acme", 100) == 20
    for _ in range(50):
        now.now_s += 0.1
        assert await allowed(quotas, "acme", 100) == 10


async def test_at_its_limit_a_tenant_costs_nobody_anything() -> None:
    now = Time()
    quotas, buckets = counted(now)
    await allowed(quotas, "acme", 100)
    asked = len(buckets.asked)
    assert await allowed(quotas, "acme", 10_000) == 0
    assert len(buckets.asked) == asked, "refusals are made without asking"
    assert await allowed(quotas, "globex", 20) == 20
    assert await allowed(quotas, "acme", 20, Kind.WRITES) == 20, "writes are counted apart"


async def test_a_tenant_whose_bucket_is_slow_to_answer_holds_up_no_other() -> None:
    quotas, buckets = counted(Time())
    buckets.slow, buckets.may_answer = {"acme"}, asyncio.Event()
    waiting = asyncio.ensure_future(quotas.spend("acme", Kind.READS))
    await asyncio.sleep(0)
    assert await allowed(quotas, "globex", 20) == 20
    buckets.may_answer.set()
    told = await waiting
    assert told is not None
    assert not told.wait_s


async def test_several_processes_share_one_bucket() -> None:
    now = Time()
    one, buckets = counted(now)
    other = Quotas(buckets, {Kind.READS: QUOTA}, now)
    assert await allowed(one, "acme", 15) + await allowed(other, "acme", 100) <= 20
    assert await allowed(other, "acme", 100) == 0


async def test_the_bucket_is_asked_once_for_a_portion() -> None:
    quotas, buckets = counted(Time(), Quota(per_s=1_000, burst=1_000))
    assert await allowed(quotas, "acme", 500) == 500
    assert len(buckets.asked) == 10


async def test_who_come_together_ask_together() -> None:
    quotas, buckets = counted(Time(), Quota(per_s=1_000, burst=1_000))
    await asyncio.gather(*(quotas.spend("acme", Kind.READS) for _ in range(50)))
    assert len(buckets.asked) == 1


async def test_while_nobody_shares_each_process_counts_by_itself() -> None:
    now = Time()
    quotas, buckets = counted(now)
    buckets.is_away = True
    assert await allowed(quotas, "acme", 100) == 20
    assert await allowed(quotas, "globex", 100) == 20
    assert len(buckets.asked) == 1, "it is not asked again for a while"
    now.now_s += AWAY_S
    buckets.is_away = False
    assert await allowed(quotas, "acme", 100) == 20
    assert len(buckets.asked) > 1


async def test_a_kind_without_a_quota_is_not_counted() -> None:
    quotas, _ = counted(Time())
    assert await quotas.spend("acme", Kind.HEAVY) is None


@given(
    st.floats(0.01, 10_000),
    st.integers(1, 1_000),
    st.lists(st.tuples(st.integers(1, 50), st.floats(0, 10))),
)
def test_a_bucket_never_gives_more_than_its_burst_and_its_rate(
    per_s: float, burst: int, asked: list[tuple[int, float]]
) -> None:
    bucket, now_s, given = Bucket(Quota(per_s, burst), 0.0), 0.0, 0
    for want, passes_s in asked:
        now_s += passes_s
        taken = bucket.take(want, now_s)
        assert 0 <= taken.tokens <= want
        assert (taken.wait_s > 0) == (taken.tokens == 0)
        given += taken.tokens
    assert given <= burst + per_s * now_s + 1e-6 * (1 + given)


def test_callers_are_told_in_the_drafts_words() -> None:
    said = Told(Kind.HEAVY, Quota(20, 100), 40).headers()
    assert said["RateLimit-Policy"] == '"heavy-reads";q=100;w=5'
    assert said["RateLimit"] == '"heavy-reads";r=40;t=3'


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("GET", "/ai/operations?limit=0", "reads"),
        ("GET", "/ai/statistics?refresh=perhaps", "heavy-reads"),
        ("POST", "/ai/silences", "writes"),
        ("POST", "/ofrep/v1/evaluate/flags", "reads"),
        ("POST", "/v1/logs", "writes"),
    ],
)
async def test_every_answer_says_how_much_is_left(method: str, path: str, kind: str) -> None:
    async with asking(gateway()) as client:
        headers = (await client.request(method, path)).headers
    assert re.fullmatch(rf'"{kind}";q=\d+;w=\d+', headers["ratelimit-policy"])
    assert re.fullmatch(rf'"{kind}";r=\d+;t=\d+', headers["ratelimit"])


async def test_over_the_limit_is_a_429_with_a_time_to_come_back() -> None:
    app = gateway(gateway_reads_per_s=0.01, gateway_burst_s=100)
    async with asking(app) as client:
        assert (await client.get("/ai/operations?limit=0")).status_code == 422
        answer = await client.get("/ai/operations?limit=0")
    assert answer.status_code == 429
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "/problems/too-many-requests"
    assert 1 <= int(answer.headers["retry-after"]) <= 100
    assert answer.headers["ratelimit"].startswith('"reads";r=0;t=')


async def test_exporters_are_told_in_their_own_words() -> None:
    app = gateway(gateway_writes_per_s=0.01, gateway_burst_s=100)
    async with asking(app) as client:
        for _ in range(2):
            answer = await client.post(
                "/v1/traces", content=b"", headers={"Content-Type": "application/x-protobuf"}
            )
    assert answer.status_code == 429
    assert answer.headers["retry-after"]
    assert answer.headers["content-type"] == "application/x-protobuf"
    said = status_pb2.Status.FromString(answer.content)
    assert said.code == code_pb2.RESOURCE_EXHAUSTED
