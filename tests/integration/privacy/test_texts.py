"""Texts of a tenant without content, and texts that a mask hides, reach no table and no Redis."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import pytest

from services.feedback.app import run as run_feedback
from services.ingest.app import run as run_ingest
from tests.integration.feedback.conftest import World, surroundings_of
from tests.support.events import encoded, feedback, now_text, operation
from tests.support.system import publish, running
from tests.support.traces import in_postgres, in_redis
from tests.support.waiting import eventually

PLANTED = "PLANTED-7c1e"
FAILING = f"raise {PLANTED}"


@pytest.fixture(scope="module")
async def world(
    kafka_bootstrap: str, topic_prefix: str, database_dsn: str, redis_url: str
) -> AsyncIterator[World]:
    """ingest and feedback with a mask that fails on some texts, and a tenant without content."""
    made = await surroundings_of(kafka_bootstrap, topic_prefix, database_dsn, redis_url)
    await made.sql("INSERT INTO tenants (tenant_id, content_free) VALUES ('mute', true)")
    masked = {"mask": "tests.unit.privacy.hooks:only_marked", "mask_within_s": 5.0}
    async with AsyncExitStack() as stack:
        ingest = made.ingest.model_copy(update=masked)
        await stack.enter_async_context(running(run_ingest(ingest)))
        taking = made.settings.model_copy(update=masked)
        await stack.enter_async_context(running(run_feedback(taking)))
        yield made


def full_of(text: str, number: int, **changes: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """An operation and its feedback with a text wherever one may stand."""
    said = {"note": text, "n": 7}
    done = operation(
        number,
        input_text=text,
        output_text=f"{text} answered",
        error_message=f"{text} failed",
        metadata=said,
        occurred_at=now_text(),
        **changes,
    )
    judged = feedback(
        number,
        comment=f"Wrong: {text}",
        correction=f"{text} corrected",
        training_consent=True,
        metadata=said,
        occurred_at=now_text(),
        **changes,
    )
    return done, judged


async def send(world: World, *pairs: tuple[dict[str, Any], dict[str, Any]]) -> None:
    await world.send("operations", [done for done, _ in pairs])
    await world.send("feedback", [judged for _, judged in pairs])
    await world.settled()


async def letters(world: World, tenant: str) -> list[Any]:
    return await world.sql(
        "SELECT reason, detail, record_value FROM dead_letters"
        " WHERE position(convert_to($1, 'UTF8') IN record_value) > 0 OR tenant_id = $1"
        " ORDER BY first_seen_at, kafka_offset",
        tenant,
    )


async def bury(world: World, *values: bytes) -> None:
    """Publish what is no event, and wait until it is buried."""
    topic = f"{world.prefix}operations.v1"
    before = (await world.sql("SELECT count(*) FROM dead_letters"))[0][0]
    await publish(world.bootstrap, [(topic, b"k", value, ()) for value in values])
    world.sent[topic] = world.sent.get(topic, 0) + len(values)

    async def so() -> bool:
        now = (await world.sql("SELECT count(*) FROM dead_letters"))[0][0]
        return bool(now >= before + len(values))

    await eventually(so, why="they are buried")


async def test_texts_of_a_tenant_without_content_reach_no_store(
    world: World, redis_url: str
) -> None:
    await send(world, full_of(PLANTED, 1, tenant_id="mute", user_id="anna"))
    rows = await world.sql("SELECT * FROM ai_model_operations WHERE tenant_id = 'mute'")
    assert len(rows) == 1
    assert rows[0]["metadata"] == '{"n": 7}'
    assert [*await world.rows("op-1", "mute")] == ["answer"]
    assert await in_postgres(world.dsn, PLANTED) == {}
    assert await in_redis(redis_url, PLANTED) == []


async def test_nor_do_those_of_what_became_no_event(world: World) -> None:
    again, _ = full_of(PLANTED, 2, tenant_id="mute")
    await world.send("operations", [again, again | {"input_text": f"{PLANTED} changed"}])
    wrong, _ = full_of(PLANTED, 3, tenant_id="mute")
    del wrong["model_id"]
    cut_off = encoded(wrong)[:-20]
    await bury(world, encoded(wrong), cut_off, b"\xff" + PLANTED.encode())
    await world.settled()
    assert await in_postgres(world.dsn, PLANTED) == {}
    found = await letters(world, "mute")
    assert sorted(row["reason"] for row in found) == ["event_id_reuse", "missing_field"]
    for row in found:
        assert row["detail"].endswith("its texts are not kept")
        assert b"op-" in row["record_value"]
    kept = await world.sql("SELECT record_value FROM dead_letters WHERE reason = 'bad_encoding'")
    assert [row[0] for row in kept] == [None]


async def test_another_tenants_texts_are_kept_beside_it(world: World) -> None:
    wrong, _ = full_of("a text of acme's", 4)
    del wrong["model_id"]
    await bury(world, encoded(wrong))
    await send(world, full_of("a text of acme's", 5))
    rows = await world.sql("SELECT input_text FROM ai_model_operations WHERE tenant_id = 'acme'")
    assert [row[0] for row in rows] == ["a text of acme's"]
    assert b"a text of acme's" in (await letters(world, "acme"))[0]["record_value"]


async def test_what_the_mask_hides_or_fails_on_reaches_no_store(
    world: World, redis_url: str
) -> None:
    await send(world, full_of(f"mark {PLANTED}", 10), full_of(FAILING, 11))
    done, _ = full_of(f"mark {PLANTED}", 12)
    await world.send("operations", [done, done | {"output_text": f"mark {PLANTED} changed"}])
    wrong, _ = full_of(f"mark {PLANTED}", 13)
    await bury(world, encoded(wrong)[:-20], encoded(wrong | {"success": "perhaps"}))
    await world.settled()
    assert await in_postgres(world.dsn, PLANTED) == {}
    assert await in_redis(redis_url, PLANTED) == []
    rows = await world.sql(
        "SELECT operation_id, input_text, error_message, metadata FROM ai_model_operations"
        " WHERE operation_id IN ('op-10', 'op-11') ORDER BY 1"
    )
    assert [tuple(row) for row in rows] == [
        ("op-10", "[HIDDEN]", "[HIDDEN]", '{"n": 7, "note": "[HIDDEN]"}'),
        ("op-11", None, None, '{"n": 7}'),
    ]
    made = await world.rows("op-10")
    assert {(row.input, row.output) for row in made.values()} == {("[HIDDEN]", "[HIDDEN]")}


async def test_a_repeat_is_a_repeat_though_the_mask_failed_in_between(world: World) -> None:
    done, judged = full_of(FAILING, 20, event_id=str(uuid4()))
    judged["event_id"] = str(uuid4())
    await send(world, (done, judged), (done, judged))
    reasons = await world.sql(
        "SELECT 1 FROM dead_letters WHERE reason = 'event_id_reuse'"
        " AND position('op-20'::bytea IN record_value) > 0"
    )
    assert reasons == []
