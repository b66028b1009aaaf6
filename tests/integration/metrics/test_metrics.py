"""From topics to live numbers: exact sums, once each, through duplicates and crashes."""

import json
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from redis.asyncio import Redis

from services.metrics.app import run
from services.metrics.settings import MetricsSettings
from shared import keys
from shared.codec import microseconds
from shared.events.operation import OperationEvent
from shared.measures.cells import add_into
from shared.measures.fold import fold_operations
from tests.support.events import encoded, feedback, now_text, operation
from tests.support.poison import poison
from tests.support.system import Record, prepared, publish, publish_spoiled, running, topics
from tests.support.waiting import eventually

GOOD = 900


class Live:
    """Asks Redis as a reader would."""

    def __init__(self, client: Any, prefix: str) -> None:
        self.client = client
        self.prefix = prefix

    async def fences(self, kind: str = "operations") -> dict[str, int]:
        """Counters of all partitions, summed."""
        total: dict[str, int] = {}
        for partition in range(6):
            name = keys.fence(f"{self.prefix}{kind}.v1", partition)
            for field, value in (await self.client.hgetall(name)).items():
                total[field.decode()] = total.get(field.decode(), 0) + int(value)
        return total

    async def view(self, tenant: str, model: str, window: str = "1h") -> dict[str, Any]:
        """A model's ready answer; empty when there is none."""
        found = await self.client.hget(keys.view(tenant, model), window)
        return json.loads(found) if found else {}


@pytest.fixture(scope="module")
async def live(
    kafka_bootstrap: str, topic_prefix: str, database_dsn: str, redis_url: str
) -> AsyncIterator[Live]:
    """A running metrics service, and a reader of what it keeps."""
    dsns = await prepared(database_dsn)
    await topics(kafka_bootstrap, topic_prefix)
    settings = MetricsSettings(
        kafka_bootstrap_servers=kafka_bootstrap,
        topic_prefix=topic_prefix,
        redis_url=redis_url,
        postgres_dsn=dsns["metrics"],
    )
    async with running(run(settings)), Redis.from_url(redis_url) as client:
        yield Live(client, topic_prefix)


async def test_every_valid_event_is_counted_once(
    live: Live, kafka_bootstrap: str, topic_prefix: str
) -> None:
    topic = f"{topic_prefix}operations.v1"
    good = [operation(number) for number in range(GOOD)]
    bad = poison(1_000_000)
    records: list[Record] = []
    for place, event in enumerate(good):
        records.append((topic, event["operation_id"].encode(), encoded(event), ()))
        if place % 30 == 0:
            records.append(records[-1])
        if place < len(bad):
            records.append((topic, b"key", *bad[place][1:]))
    await publish(kafka_bootstrap, records)

    async def settled() -> bool:
        return (await live.fences()).get("next") == len(records)

    await eventually(settled, why="every record is consumed", deadline_s=60)
    fences = await live.fences()
    assert (fences["accepted"], fences["duplicates"], fences["invalid"]) == (GOOD, 30, len(bad))
    await _shows(live, good)


async def _shows(live: Live, good: list[dict[str, Any]]) -> None:
    """Every model's hour equals what the events themselves add up to."""
    expected: dict[str, dict[str, int]] = {}
    for event in good:
        parsed = OperationEvent.model_validate_json(json.dumps(event))
        cost = round(event["cost_usd"] * 1e9)
        for cell in fold_operations([(parsed, microseconds(parsed.occurred_at), cost)]).values():
            add_into(expected.setdefault(event["model_id"], {}), cell)
    for model, sums in expected.items():

        async def complete(model: str = model, sums: dict[str, int] = sums) -> bool:
            return (await live.view("acme", model)).get("sample") == sums["n"]

        await eventually(complete, why=f"the view of {model} is complete")
        view = await live.view("acme", model)
        assert view["tokens"]["input"] == sums["tin"]
        assert view["success_rate"]["value"] == pytest.approx(sums["ok"] / sums["n"])
        assert view["cost_usd"]["total"] == pytest.approx(sums["cost_nano"] / 1e9)
        assert view["response_time_ms"]["mean"] == pytest.approx(sums["rt_us"] / 1000 / sums["n"])
        stored = await live.client.hget(keys.view("acme", model), "1h:series")
        series: dict[str, int] = {}
        for _, cell in json.loads(stored):
            add_into(series, cell)
        add_into(series, sums, -1)
        assert series == {}


async def test_a_header_key_that_is_no_utf_8_stops_nobody(
    live: Live, kafka_bootstrap: str, topic_prefix: str
) -> None:
    before = await live.fences()
    values = [encoded(operation(4_000_000 + number)) for number in range(5)]
    await publish_spoiled(kafka_bootstrap, f"{topic_prefix}operations.v1", values, bad=2)

    async def settled() -> bool:
        return (await live.fences())["next"] == before["next"] + 5

    await eventually(settled, why="the batch is consumed")
    after = await live.fences()
    assert (after["accepted"] - before["accepted"], after["invalid"] - before["invalid"]) == (4, 1)


async def test_hours_are_the_sum_of_their_minutes(live: Live) -> None:
    totals: dict[tuple[str, int], dict[bytes, int]] = {}
    async for name in live.client.scan_iter(match="*:g1:[mh]:acme:*"):
        resolution, _, start = keys.split_member(name.decode().partition(":g1:")[2])
        total = totals.setdefault((resolution, start // 3600), {})
        for field, value in (await live.client.hgetall(name)).items():
            total[field] = total.get(field, 0) + int(value)
    hours = {start for _, start in totals}
    assert hours
    for hour in hours:
        assert totals["m", hour] == totals["h", hour]


async def test_feedback_is_counted_under_its_operations_model(
    live: Live, kafka_bootstrap: str, topic_prefix: str, database_dsn: str
) -> None:
    topic = f"{topic_prefix}feedback.v1"
    named = feedback(1, model_id="model-1", rating=4)
    unnamed = [feedback(number, rating=2) for number in (4, 7)]
    events = [named, *unnamed, unnamed[0]]
    await publish(
        kafka_bootstrap, [(topic, e["operation_id"].encode(), encoded(e), ()) for e in events]
    )

    async def rated(count: int) -> bool:
        return (await live.view("acme", "model-1")).get("feedback", {}).get("count") == count

    await eventually(lambda: rated(1), why="feedback that names its model counts at once")
    connection = await asyncpg.connect(database_dsn)
    await connection.execute(
        "SELECT ensure_day_partition('ai_model_operations', current_date),"
        " ensure_day_partition('ai_model_operations', current_date - 1)"
    )
    for event in unnamed:
        await connection.execute(
            """
            INSERT INTO ai_model_operations (tenant_id, event_id, occurred_at, operation_id,
                model_id, success, response_time_ms, operation_type, environment, payload_hash,
                kafka_topic, kafka_partition, kafka_offset)
            VALUES ('acme', gen_random_uuid(), now(), $1, 'model-1', true, 1, 'chat',
                    'production', '', 't', 0, 0)
            """,
            event["operation_id"],
        )
    await connection.close()
    await eventually(lambda: rated(3), why="the others are joined once their operations are known")
    view = await live.view("acme", "model-1")
    assert view["feedback"]["rating"]["value"] == pytest.approx((4 + 2 + 2) / 3)


async def test_an_emptied_redis_is_filled_again_from_the_log(live: Live) -> None:
    before = await live.view("acme", "model-0")
    await live.client.flushall()

    async def refilled() -> bool:
        view = await live.view("acme", "model-0")
        return view.get("sample") == before["sample"]

    await eventually(refilled, why="the cells come back", deadline_s=60)
    after = await live.view("acme", "model-0")
    assert after["tokens"] == before["tokens"]


async def test_late_events_count_where_they_happened(
    live: Live, kafka_bootstrap: str, topic_prefix: str
) -> None:
    late = [
        operation(3_000_000 + n, model_id="late", occurred_at=now_text(ago_s=n * 3600 + 1800))
        for n in range(5)
    ]
    topic = f"{topic_prefix}operations.v1"
    await publish(
        kafka_bootstrap, [(topic, e["operation_id"].encode(), encoded(e), ()) for e in late]
    )

    async def complete() -> bool:
        return (await live.view("acme", "late", "24h")).get("sample") == len(late)

    await eventually(complete, why="the day holds all of them")
    assert (await live.view("acme", "late", "1h"))["sample"] == 1
    assert (await live.view("acme", "late", "15m"))["sample"] == 0
