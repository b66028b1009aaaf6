"""Exposures that can never be read are buried like other records; the others pass by."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer
from pydantic_core import to_json

from services.ingest.app import run
from services.ingest.settings import IngestSettings
from tests.support.events import now_text
from tests.support.system import SECRET, Rows, prepared, publish, querying, running, topics
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
async def rows(kafka_bootstrap: str, topic_prefix: str, database_dsn: str) -> AsyncIterator[Rows]:
    """A running ingest, and a way to ask what it stored."""
    dsns = await prepared(database_dsn)
    await topics(kafka_bootstrap, topic_prefix)
    settings = IngestSettings(
        kafka_bootstrap_servers=kafka_bootstrap,
        topic_prefix=topic_prefix,
        redis_url="redis://unused",
        postgres_dsn=dsns["ingest"],
        secret_key=SECRET,
    )
    async with running(run(settings)), querying(database_dsn) as fetch:
        yield fetch


def exposure(**changes: Any) -> bytes:
    event = {
        "event_id": str(uuid4()),
        "tenant_id": "acme",
        "occurred_at": now_text(),
        "test_id": str(uuid4()),
        "unit_id": "u-1",
        "variant": "b",
        **changes,
    }
    return to_json({name: value for name, value in event.items() if value is not None})


async def test_each_unreadable_exposure_is_dead_once_and_the_others_are_only_counted(
    rows: Rows, kafka_bootstrap: str, topic_prefix: str
) -> None:
    topic = f"{topic_prefix}exposures.v1"
    good = [exposure(unit_id=f"u-{number}") for number in range(20)]
    bad = {
        "invalid_json": b"{",
        "missing_field": exposure(variant=None),
        "unknown_tenant": exposure(tenant_id="nobody"),
        "bad_time": exposure(occurred_at="2001-01-01T00:00:00Z"),
        "too_large": exposure(padding="x" * 70_000),
    }
    values = [*good[:10], *bad.values(), *good[10:]]
    await publish(kafka_bootstrap, [(topic, b"key", value, ()) for value in values])

    async def judged() -> bool:
        found = await rows(
            "SELECT sum(accepted), sum(duplicates), sum(dead) FROM consumer_fence WHERE topic = $1",
            topic,
        )
        return tuple(found[0]) == (len(good), 0, len(bad))

    await eventually(judged, why="every record is judged")
    letters = await rows("SELECT reason, record_value FROM dead_letters WHERE topic = $1", topic)
    assert {row["reason"]: row["record_value"] for row in letters} == bad
    for table in ("ai_model_operations", "user_feedback", "operation_rollup_minute"):
        assert (await rows(f"SELECT count(*) FROM {table}"))[0][0] == 0

    told: dict[str, bytes] = {}
    consumer = AIOKafkaConsumer(
        f"{topic}.dlq", bootstrap_servers=kafka_bootstrap, auto_offset_reset="earliest"
    )

    async def all_told() -> bool:
        for records in (await consumer.getmany(timeout_ms=200)).values():
            told.update((dict(one.headers)["reason"].decode(), one.value) for one in records)
        return told == bad

    async with consumer:
        await eventually(all_told, why="the dead letters' topic has them")
