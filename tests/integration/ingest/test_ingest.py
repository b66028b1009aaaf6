"""From topics to rows: every event once, every bad record dead once, minutes equal to rows."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer

from services.ingest.app import run
from services.ingest.settings import IngestSettings
from tests.support.events import encoded, feedback, operation
from tests.support.poison import poison
from tests.support.system import (
    Record,
    Rows,
    prepared,
    publish,
    publish_spoiled,
    querying,
    running,
    topics,
)
from tests.support.waiting import eventually

GOOD = 600


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
        secret_key="only-for-tests-but-long-enough-to-be-one",
    )
    async with running(run(settings)), querying(database_dsn) as fetch:
        yield fetch


@pytest.fixture
def send(kafka_bootstrap: str, topic_prefix: str) -> Any:
    """Publish events to operations or feedback."""

    async def send(
        *events: dict[str, Any], kind: str = "operations", key: bytes | None = b""
    ) -> None:
        records: list[Record] = [
            (
                f"{topic_prefix}{kind}.v1",
                event["operation_id"].encode() if key == b"" else key,
                encoded(event),
                (),
            )
            for event in events
        ]
        await publish(kafka_bootstrap, records)

    return send


async def count(rows: Rows, statement: str, *values: Any) -> int:
    """The one number that a statement answers."""
    return int((await rows(statement, *values))[0][0])


async def test_good_events_bad_records_and_duplicates_in_one_stream(
    rows: Rows, kafka_bootstrap: str, topic_prefix: str
) -> None:
    topic = f"{topic_prefix}operations.v1"
    good = [operation(number) for number in range(GOOD)]
    bad = poison(1_000_000)
    records: list[Record] = []
    for place, event in enumerate(good):
        records.append((topic, event["operation_id"].encode(), encoded(event), ()))
        if place % 20 == 0:
            records.append(records[-1])
        if place < len(bad):
            _, value, headers = bad[place]
            records.append((topic, b"key", value, headers))
    await publish(kafka_bootstrap, records)

    await eventually(
        lambda: _settled(rows, topic, len(records)), why="every record is judged", deadline_s=60
    )
    letters = await rows(
        "SELECT reason, detail, record_value FROM dead_letters WHERE topic = $1", topic
    )
    expected = sorted((reason, value) for reason, value, _ in bad if value is not None)
    found = sorted(
        (row["reason"], row["record_value"]) for row in letters if row["record_value"] is not None
    )
    assert found == expected
    assert sorted(row["reason"] for row in letters) == sorted(reason for reason, _, _ in bad)
    assert await count(rows, "SELECT count(*) FROM ai_model_operations") == GOOD
    fences = (await rows("SELECT sum(accepted), sum(duplicates), sum(dead) FROM consumer_fence"))[0]
    assert tuple(fences) == (GOOD, len(range(0, GOOD, 20)), len(bad))


async def _settled(rows: Rows, topic: str, records: int) -> bool:
    done = await count(
        rows, "SELECT coalesce(sum(next_offset), 0) FROM consumer_fence WHERE topic = $1", topic
    )
    return done == records


async def test_minutes_equal_the_rows_they_sum(rows: Rows) -> None:
    from_rows = await rows(
        """
        SELECT date_trunc('minute', occurred_at) AS minute, model_id, variant, count(*) AS n,
               count(*) FILTER (WHERE success) AS ok, sum(input_tokens)::bigint AS tin,
               sum(cost_nano)::bigint AS cost, sum(round(response_time_ms * 1000))::bigint AS rt
          FROM ai_model_operations GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
        """
    )
    from_minutes = await rows(
        """
        SELECT minute, model_id, variant, sum(n)::bigint AS n, sum(ok)::bigint AS ok,
               sum(tin)::bigint AS tin, sum(cost_nano)::bigint AS cost, sum(rt_us)::bigint AS rt
          FROM operation_rollup_minute WHERE n > 0 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
        """
    )
    assert [tuple(row) for row in from_minutes] == [tuple(row) for row in from_rows]
    distributions = await rows(
        "SELECT n, ok, distribution FROM operation_rollup_minute WHERE n > 0"
    )
    for row in distributions:
        entries = json.loads(row["distribution"])
        assert sum(v for k, v in entries.items() if k.startswith("d:")) == row["n"]
        assert sum(v for k, v in entries.items() if k.startswith("e:")) == row["n"] - row["ok"]


async def test_dead_letters_reach_their_topic_whole(
    rows: Rows, kafka_bootstrap: str, topic_prefix: str
) -> None:
    await eventually(
        lambda: _nothing_unpublished(rows), why="the relay has published every dead letter"
    )
    letters = {
        f"{row['topic']}:{row['partition']}:{row['kafka_offset']}": row
        for row in await rows("SELECT * FROM dead_letters")
    }
    consumer = AIOKafkaConsumer(
        f"{topic_prefix}operations.v1.dlq",
        bootstrap_servers=kafka_bootstrap,
        auto_offset_reset="earliest",
    )
    async with consumer:
        seen = {}
        while len(seen) < len(letters):
            record = await consumer.getone()
            seen[record.key.decode()] = record
    assert seen.keys() == letters.keys()
    for key, record in seen.items():
        assert record.value == letters[key]["record_value"]
        assert dict(record.headers)["reason"].decode() == letters[key]["reason"]


async def _nothing_unpublished(rows: Rows) -> bool:
    return await count(rows, "SELECT count(*) FROM dead_letters WHERE published_at IS NULL") == 0


async def test_a_header_key_that_is_no_utf_8_is_one_dead_letter(
    rows: Rows, kafka_bootstrap: str, topic_prefix: str
) -> None:
    events = [operation(1_900_000 + number) for number in range(5)]
    values = [encoded(event) for event in events]
    await publish_spoiled(kafka_bootstrap, f"{topic_prefix}operations.v1", values, bad=2)
    ids = [event["operation_id"] for event in events]
    stored = "SELECT count(*) FROM ai_model_operations WHERE operation_id = ANY($1)"
    await eventually(lambda: _is(rows, stored, 4, ids), why="the others are stored")
    letters = await rows("SELECT reason FROM dead_letters WHERE record_value = $1", values[2])
    assert [row[0] for row in letters] == ["bad_header"]


async def test_an_event_id_used_for_another_body_is_a_dead_letter(rows: Rows, send: Any) -> None:
    first = operation(2_000_000)
    await send(first)
    await send(first | {"response_time_ms": 99.0}, first)
    reuse = "SELECT count(*) FROM dead_letters WHERE reason = 'event_id_reuse'"
    await eventually(lambda: _is(rows, reuse, 1), why="the changed retry is a dead letter")
    stored = await rows(
        "SELECT response_time_ms FROM ai_model_operations WHERE operation_id = 'op-2000000'"
    )
    assert [row[0] for row in stored] == [first["response_time_ms"]]


async def test_a_retry_in_another_partition_is_one_row(rows: Rows, send: Any) -> None:
    event = operation(2_100_000)
    for key in (b"a", b"b", b"c", b"d", b"e", b"f", b"g", b"h"):
        await send(event, key=key)
    last = operation(2_100_001)
    await send(last)
    at = "SELECT count(*) FROM ai_model_operations WHERE operation_id = $1"
    await eventually(lambda: _is(rows, at, 1, last["operation_id"]), why="all were consumed")
    assert await count(rows, at, event["operation_id"]) == 1


async def test_feedback_finds_its_operation_in_either_order(rows: Rows, send: Any) -> None:
    before, after = operation(2_200_000), operation(2_200_001)
    await send(before)
    await send(feedback(2_200_000, rating=5), feedback(2_200_001, rating=2), kind="feedback")
    await send(after)
    joined = "SELECT count(*) FROM user_feedback WHERE model_id IS NOT NULL"
    await eventually(lambda: _is(rows, joined, 2), why="both are attributed")
    ratings = await rows(
        "SELECT model_id, sum(rating)::int FROM operation_rollup_minute WHERE f_n > 0 GROUP BY 1"
    )
    expected = sorted([(before["model_id"], 5), (after["model_id"], 2)])
    assert sorted(tuple(row) for row in ratings) == expected


async def test_a_person_is_stored_under_a_pseudonym_only(rows: Rows) -> None:
    users = await rows("SELECT DISTINCT user_pseudonym FROM ai_model_operations")
    assert all(row[0].startswith("v1.") and "user-" not in row[0] for row in users)


async def _is(rows: Rows, statement: str, wanted: int, *values: Any) -> bool:
    return await count(rows, statement, *values) == wanted


async def test_what_follows_at_once_upon_its_tenant_is_stored(rows: Rows, send: Any) -> None:
    """A stranger makes ingest look who there is: the tenant is made right after that look."""
    refused = "SELECT count(*) FROM dead_letters WHERE reason = 'unknown_tenant'"
    stored = "SELECT count(*) FROM ai_model_operations WHERE tenant_id = 'initech'"
    before = await count(rows, refused)
    await send(operation(9_000_001, tenant_id="nobody-yet"))
    await eventually(
        lambda: _is(rows, refused, before + 1), why="the stranger is refused", every_s=0.01
    )
    await rows("INSERT INTO tenants (tenant_id) VALUES ('initech')")
    await send(operation(9_000_002, tenant_id="initech"))

    async def is_judged() -> bool:
        return await count(rows, stored) + await count(rows, refused) == before + 2

    await eventually(is_judged, why="the first event of the new tenant is judged")
    assert await count(rows, stored) == 1
