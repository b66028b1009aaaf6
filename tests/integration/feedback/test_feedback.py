"""From what people say to training rows, with ingest and feedback at work on real servers."""

import json
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer

from services.feedback.domain.making import Operation, Row
from services.feedback.store import making
from services.feedback.store.raters import PostgresRaters
from shared.clock import utc_now
from shared.events.training import TrainingExampleEvent
from shared.stores import connect_postgres
from tests.integration.feedback.conftest import World
from tests.support.events import feedback, now_text, operation
from tests.support.waiting import eventually


def answered(number: int, **changes: Any) -> dict[str, Any]:
    """An operation that worked, with its texts."""
    texts = {"input_text": f"What is {number}?", "output_text": f"It is {number}."}
    return operation(number, success=True, error_type=None, **(texts | changes))


def said(number: int, **changes: Any) -> dict[str, Any]:
    """Somebody says something new of an operation; only what is named."""
    silent = {"rating": None, "helpful": None, "event_id": str(uuid4()), "occurred_at": now_text()}
    return feedback(number, **(silent | changes))


async def changes_of(world: World, operation_id: str) -> list[tuple[str, str]]:
    """What was told of an operation's rows: kind and state, in order."""
    rows = await world.sql(
        "SELECT body ->> 'kind', body ->> 'state' FROM training_changes"
        " WHERE operation_id = $1 ORDER BY change_id",
        operation_id,
    )
    return [(row[0], row[1]) for row in rows]


async def test_a_rating_becomes_a_row_whichever_came_first(world: World) -> None:
    await world.send("operations", [answered(1)])
    await world.send("feedback", [said(1, rating=5), said(2, rating=5, user_id="user-1")])
    await world.settled()
    assert await world.rows("op-2") == {}
    await world.send("operations", [answered(2, model_id="model-1")])
    await world.settled()
    first, second = await world.answer("op-1"), await world.answer("op-2")
    assert (first.input, first.output, first.state) == ("What is 1?", "It is 1.", "ready")
    assert first.quality == second.quality > 0.5
    assert first.weight == second.weight > 0.6
    assert first.reasons == ["rated 5 of 5 by 1 user (reliability 0.30)", "the operation succeeded"]
    assert second.split in {"train", "validation"}


async def test_a_later_vote_replaces_the_earlier_whole_and_both_are_kept(world: World) -> None:
    await world.send("operations", [answered(10)])
    late = said(10, rating=1, user_id="ann")
    early = said(10, rating=5, comment="Great!", user_id="ann", occurred_at=now_text(ago_s=60))
    await world.send("feedback", [late, early])
    await world.settled()
    row = await world.answer("op-10")
    assert "rated 1 of 5 by 1 user (reliability 0.30)" in row.reasons
    assert json.loads(row.lineage)["feedback_event_ids"] == [late["event_id"]]
    kept = await world.sql(
        "SELECT rating, is_superseded FROM feedback_analysis WHERE operation_id = 'op-10'"
    )
    assert {(one[0], one[1]) for one in kept} == {(5, True), (1, False)}


async def test_a_correction_is_a_row_of_its_own_and_withdrawn_when_replaced(world: World) -> None:
    await world.send("operations", [answered(20)])
    await world.send("feedback", [said(20, correction="It is twenty.", user_id="bob")])
    await world.settled()
    rows = await world.rows("op-20")
    assert rows["answer"].correction == rows["It is twenty."].output == "It is twenty."
    assert rows["answer"].quality < 0.5 < rows["It is twenty."].quality
    assert rows["answer"].split == rows["It is twenty."].split
    await world.send("feedback", [said(20, rating=5, user_id="bob")])
    await world.settled()
    rows = await world.rows("op-20")
    assert [*rows] == ["answer"]
    assert rows["answer"].correction is None
    assert await changes_of(world, "op-20") == [
        ("answer", "ready"),
        ("correction", "ready"),
        ("correction", "withdrawn"),
        ("answer", "updated"),
    ]


async def test_a_correction_that_is_taken_out_for_good_stands_nowhere(world: World) -> None:
    await world.send("operations", [answered(25)])
    await world.send("feedback", [said(25, correction="Ask Jane Doe.", user_id="bob")])
    await world.settled()
    rows = await world.rows("op-25")
    await world.sql(
        "INSERT INTO training_blocks VALUES ('acme', $1, 'op-25', now(), 'test')",
        rows["Ask Jane Doe."].row_id,
    )
    await world.sql(
        "INSERT INTO feedback_due (tenant_id, operation_id, shard) VALUES ('acme', 'op-25', 0)"
    )
    await world.settled()
    assert "Jane" not in str(await world.rows("op-25"))


async def test_votes_on_an_operation_that_has_not_come_replace_each_other_too(world: World) -> None:
    ann = {"rating": 4, "user_id": "ann"}
    await world.send("feedback", [said(28, **ann, occurred_at=now_text(ago_s=n)) for n in range(9)])
    await world.settled()
    kept = await world.sql(
        "SELECT count(*) FROM feedback_analysis WHERE operation_id = 'op-28' AND NOT is_superseded"
    )
    assert kept[0][0] == 1


async def test_an_operation_whose_rows_cannot_be_made_holds_up_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = making.rows_of

    def broken(operation: Operation, *rest: Any) -> list[Row]:
        if operation.operation_id == "op-80":
            raise ValueError("to blame")
        return real(operation, *rest)

    monkeypatch.setattr(making, "rows_of", broken)
    await world.send("operations", [answered(n) for n in range(80, 90)])
    await world.send("feedback", [said(n, rating=4) for n in range(80, 90)])

    async def made() -> bool:
        rows = await world.sql(
            "SELECT count(*) FROM model_training_data WHERE operation_id = ANY($1)",
            [f"op-{n}" for n in range(81, 90)],
        )
        return bool(rows[0][0] == 9)

    await eventually(made, why="the others' rows are made")

    async def put_off() -> bool:  # each of its notes: of the feedback, and of following ingest
        waits = await world.sql(
            "SELECT due_at > now() FROM feedback_due WHERE operation_id = 'op-80'"
        )
        return {row[0] for row in waits} == {True}

    await eventually(put_off, why="it is to be tried again later")
    monkeypatch.undo()
    await world.sql("UPDATE feedback_due SET due_at = now()")
    await world.settled()
    assert (await world.answer("op-80")).quality > 0.5


async def test_lost_consent_takes_the_texts_and_given_again_brings_them_back(world: World) -> None:
    await world.send("operations", [answered(30)])
    yes = {"user_id": "eve", "rating": 4, "training_consent": True}
    await world.send("feedback", [said(30, **yes)])
    await world.settled()
    assert (await world.answer("op-30")).consent is True
    await world.send("feedback", [said(30, **(yes | {"training_consent": False}))])
    await world.settled()
    row = await world.answer("op-30")
    assert (row.state, row.weight, row.input, row.output) == ("withdrawn", 0, None, None)
    await world.send("feedback", [said(30, **yes)])
    await world.settled()
    assert (await world.answer("op-30")).output == "It is 30."
    states = [state for _, state in await changes_of(world, "op-30")]
    assert states == ["ready", "withdrawn", "ready"]


async def test_a_tenant_without_content_gets_rows_without_text_that_say_so(world: World) -> None:
    await world.sql("INSERT INTO tenants (tenant_id, content_free) VALUES ('mute', true)")

    async def is_known() -> bool:
        await world.send("operations", [answered(40, tenant_id="mute", event_id=str(uuid4()))])
        rows = await world.sql("SELECT 1 FROM ai_model_operations WHERE tenant_id = 'mute'")
        return bool(rows)

    await eventually(is_known, why="ingest knows the tenant", every_s=1)
    await world.send(
        "feedback",
        [said(40, tenant_id="mute", comment="Wrong and useless.", correction="Forty.")],
    )
    await world.settled()
    rows = await world.rows("op-40", "mute")
    assert [*rows] == ["answer"]
    row = rows["answer"]
    assert (row.input, row.output, row.correction) == (None, None, None)
    assert row.reasons[-1] == "no text: the operation's was not kept"
    assert row.quality < 0.5
    kept = await world.sql("SELECT * FROM feedback_analysis WHERE tenant_id = 'mute'")
    assert "Wrong" not in str(kept)
    assert "Forty" not in str(kept)


async def test_a_later_event_of_the_same_operation_is_what_the_row_is_made_of(world: World) -> None:
    await world.send("operations", [answered(50, occurred_at=now_text(ago_s=90))])
    await world.send("feedback", [said(50, rating=4)])
    await world.settled()
    again = answered(50, event_id=str(uuid4()), output_text="Corrected.", occurred_at=now_text())
    await world.send("operations", [again])
    await world.settled()
    assert (await world.answer("op-50")).output == "Corrected."


async def test_changes_are_told_on_their_topic(world: World) -> None:
    await world.send("operations", [answered(60)])
    await world.send("feedback", [said(60, rating=2, comment="Outdated.")])
    await world.settled()
    consumer = AIOKafkaConsumer(
        f"{world.prefix}training-examples.v1",
        bootstrap_servers=world.bootstrap,
        auto_offset_reset="earliest",
    )
    async with consumer:

        async def told() -> Any:
            batch = await consumer.getmany(timeout_ms=500)
            return [one for all_ in batch.values() for one in all_ if one.key == b"op-60"]

        record = (await eventually(told, why="it is told"))[0]
    event = TrainingExampleEvent.model_validate_json(record.value)
    assert (event.state, event.kind, event.tenant_id) == ("ready", "answer", "acme")
    assert event.row_id == (await world.answer("op-60")).row_id
    assert b"What is 60" not in record.value
    assert dict(record.headers)["ce_id"] == str(event.event_id).encode()


async def test_a_model_that_judges_itself_is_kept_and_not_weighted(world: World) -> None:
    await world.send("operations", [answered(70, model_id="judge")])
    own = said(70, rating=5, source="model", user_id="judge")
    await world.send("feedback", [own])
    await world.settled()
    row = await world.answer("op-70")
    assert row.quality == 0.5
    assert "1 of the model's judgements on itself not weighted" in row.reasons
    marked = "SELECT is_own_judge FROM feedback_analysis WHERE operation_id = 'op-70'"
    assert [one[0] for one in await world.sql(marked)] == [True]
    # Sent again with another model: it judged somebody else after all.
    later = {"operation_id": "op-70", "model_id": "other", "occurred_at": now_text()}
    await world.send("operations", [answered(71, **later)])
    await world.settled()
    assert [one[0] for one in await world.sql(marked)] == [False]


async def test_a_night_weighs_by_agreement_and_moves_the_rows(world: World) -> None:
    """Two agree on all, one says the opposite."""
    numbers = range(100, 140)
    votes = {"good-a": (5, 1), "good-b": (5, 1), "contrary": (1, 5)}
    await world.send("operations", [answered(number) for number in numbers])
    await world.send(
        "feedback",
        [
            said(number, rating=stars[number % 2], user_id=name)
            for number in numbers
            for name, stars in votes.items()
        ],
    )
    await world.settled()
    before = await world.answer("op-100")
    pool = await connect_postgres(world.settings.postgres_dsn, service="test")
    moved = await PostgresRaters(pool).reckon(utc_now())
    again = await PostgresRaters(pool).reckon(utc_now())
    await pool.close()
    await world.settled()
    after = await world.answer("op-100")
    assert moved >= 3
    assert again == 0
    assert after.quality > before.quality
    terms = json.loads(after.terms)["votes"]
    reliable = {stance: reliability for _, stance, reliability, *_ in terms}
    assert reliable[0.0] < reliable[1.0] / 2
