"""Votes, rows, datasets and raters' sums of a person go; what others said stays, made anew."""

from typing import Any
from uuid import uuid4

import pytest

from services.feedback.domain.agreement import Sums, of_item
from services.feedback.domain.weighting import instant
from services.feedback.queries import datasets
from services.feedback.queries import due as making
from services.feedback.queries.raters import stands_of
from services.feedback.store.freezing import LIMITS
from shared.clock import utc_now
from shared.privacy import due
from shared.privacy.due import Note
from shared.privacy.tasks import TENANT
from shared.training.shards import shard_of
from tests.integration.privacy.parts import (
    FEEDBACK,
    NAMES,
    OPERATIONS,
    Feedback,
    Gateway,
    Ingest,
)
from tests.support.events import feedback as said
from tests.support.events import operation
from tests.support.system import Rows
from tests.support.traces import in_postgres as traces

ANNA = "anna-of-acme"
TEXT = "a planted text of hers"
BETTER = f"{TEXT}, and better"
OTHERS = ("bob", "carl")


def trace_names() -> tuple[str, ...]:
    return ANNA, NAMES.pseudonym("acme", ANNA), TEXT


async def world(ingest: Ingest, feedback: Feedback) -> list[Any]:
    """Operations 1 of hers, 2 to 4 of others; all spoke of 1 and 2, she alone of 4."""
    mine = operation(1, user_id=ANNA, input_text=TEXT, output_text=f"{TEXT} answered")
    theirs = [
        operation(n, user_id="bob", input_text=f"bob asks {n}", output_text=f"answer {n}")
        for n in (2, 3, 4)
    ]
    await ingest.take(OPERATIONS, [mine, *theirs])
    values = [
        said(1, event_id=str(uuid4()), user_id="dora", rating=2, correction=f"not {TEXT}"),
        said(2, event_id=str(uuid4()), user_id=ANNA, rating=1, correction=BETTER),
        said(4, event_id=str(uuid4()), user_id=ANNA, rating=5, comment=TEXT),
        *(
            said(n, event_id=str(uuid4()), user_id=who, rating=4)
            for n in (1, 2, 3)
            for who in OTHERS
        ),
        said(1, event_id=str(uuid4()), user_id=ANNA, rating=1),
    ]
    await ingest.take(FEEDBACK, values)
    records = ingest.last
    assert (await feedback.take(records)).accepted == len(values)
    await feedback.make()
    await feedback.tell()
    return records


async def ask_dataset(rows: Rows) -> None:
    await rows(
        "INSERT INTO datasets (tenant_id, dataset_id, name, version, filters, splits, state,"
        " created_by) SELECT 'acme', gen_random_uuid(), 'd', count(*) + 1, '{}',"
        """ '{"train": 1.0}', 'freezing', 'test' FROM datasets"""
    )


async def everybody(ingest: Ingest, feedback: Feedback) -> None:
    """Both erase until nothing moves."""
    for _ in range(4):
        await ingest.settle()
        await feedback.settle()


async def receipt(gateway: Gateway, made: dict[str, Any]) -> Any:
    found = await gateway.erasure(made)
    return next(one for one in found["receipts"] if one["service"] == "feedback")


async def sums_are_right(rows: Rows) -> bool:
    """Raters' sums are those that a count from the beginning gives."""
    right = Sums()
    for row in await rows("SELECT operation_id, told_stands FROM feedback_operations"):
        right.add(of_item(row[0], stands_of(row[1])))
    pairs = {
        (row[0], row[1]): row[2] for row in await rows("SELECT one, other, shared FROM rater_pairs")
    }
    votes = {row[0]: row[1] for row in await rows("SELECT points, votes FROM rater_votes")}
    return pairs == dict(right.shared) and votes == dict(right.said)


async def test_a_person_leaves_votes_rows_datasets_and_sums(
    gateway: Gateway, ingest: Ingest, feedback: Feedback, rows: Rows, fresh_database: str
) -> None:
    records = await world(ingest, feedback)
    await feedback.raters.reckon(utc_now())
    await ask_dataset(rows)
    await feedback.freeze()
    before = await traces(fresh_database, *trace_names())
    for table in ("model_training_data", "dataset_rows", "rater_pairs", "feedback_operations"):
        assert before[table], table
    made = await gateway.erase(user_id=ANNA)
    await everybody(ingest, feedback)

    told = await receipt(gateway, made)
    assert told["at"] is not None
    assert told["removed"] >= 6
    assert await traces(fresh_database, *trace_names()) == {"erasures": 1}
    # Services that are not at work here have not done theirs.
    assert await traces(fresh_database, '"op-1"', "op-1,", ",op-1") == {"erasure_due": 2}
    assert await sums_are_right(rows)
    left = await rows("SELECT operation_id, kind FROM model_training_data ORDER BY 1, 2")
    assert [tuple(row) for row in left] == [("op-2", "answer"), ("op-3", "answer")]
    frozen = await rows("SELECT operation_id, kind, correction FROM dataset_rows ORDER BY 1, 2")
    assert [tuple(row) for row in frozen] == [
        ("op-2", "answer", None),
        ("op-3", "answer", None),
        ("op-4", "answer", None),
    ]
    assert (await rows("SELECT withdrawn FROM datasets"))[0][0] == 3
    spoken = await rows("SELECT operation_id FROM feedback_operations ORDER BY 1")
    assert [row[0] for row in spoken] == ["op-2", "op-3"]
    # What comes again is dropped.
    assert (await feedback.take(_again(records))).erased == 6
    await feedback.make()
    assert await traces(fresh_database, *trace_names()) == {"erasures": 1}


def _again(records: list[Any]) -> list[Any]:
    end = records[-1].offset + 1
    return [one._replace(offset=end + place) for place, one in enumerate(records)]


async def test_withdrawn_rows_are_told_before_their_changes_are_forgotten(
    gateway: Gateway, ingest: Ingest, feedback: Feedback, rows: Rows
) -> None:
    await world(ingest, feedback)
    made = await gateway.erase(operation_id="op-1")
    for _ in range(4):
        await ingest.settle()
        while await feedback.eraser.look():
            await feedback.make()
    assert (await receipt(gateway, made))["at"] is None  # nobody has told it
    changes = await feedback.tell()
    assert {(one["operation_id"], one["state"]) for one in changes} == {("op-1", "withdrawn")}
    assert all("erased" in one["reasons"][0] for one in changes)
    await everybody(ingest, feedback)
    assert (await receipt(gateway, made))["at"] is not None
    assert await rows("SELECT 1 FROM training_changes WHERE operation_id = 'op-1'") == []


async def test_a_dataset_that_is_being_copied_brings_nothing_back(
    gateway: Gateway, ingest: Ingest, feedback: Feedback, rows: Rows, fresh_database: str
) -> None:
    await world(ingest, feedback)
    await ask_dataset(rows)
    async with feedback.pool.acquire() as connection:
        copying = connection.transaction(isolation="repeatable_read")
        await copying.start()
        await connection.execute(LIMITS)
        asked = await datasets.next_asked(connection)
        assert asked is not None
        made = await gateway.erase(user_id=ANNA)
        # It took a number before the mark, so nobody erases; it is waited for in any case.
        await ingest.settle()
        await feedback.settle()
        assert (await receipt(gateway, made))["at"] is None
        await feedback.freezing._freeze(connection, asked, instant(utc_now()))
        await copying.commit()
    await everybody(ingest, feedback)
    assert (await receipt(gateway, made))["at"] is None  # copied, and not opened
    await feedback.freeze()
    await everybody(ingest, feedback)
    assert (await receipt(gateway, made))["at"] is not None
    assert await traces(fresh_database, *trace_names()) == {"erasures": 1}
    assert len(await rows("SELECT 1 FROM dataset_rows")) == 3


@pytest.mark.parametrize("mode", ["erase", "anonymise"])
async def test_an_operation_whose_shard_is_worked_in_waits(
    gateway: Gateway, ingest: Ingest, feedback: Feedback, fresh_database: str, mode: str
) -> None:
    await world(ingest, feedback)
    made = await gateway.erase(user_id=ANNA, mode=mode)
    async with feedback.pool.acquire() as connection, connection.transaction():
        for shard in range(16):
            await connection.execute(
                "SELECT pg_advisory_xact_lock(hashtext('assay.feedback-make'), $1)", shard
            )
        await ingest.settle()
        await feedback.settle()
        assert (await receipt(gateway, made))["at"] is None
        assert await due.tenants(connection, "feedback") == ["acme"]
    await everybody(ingest, feedback)
    assert (await receipt(gateway, made))["at"] is not None
    assert await traces(fresh_database, *trace_names()) == {"erasures": 1}


async def test_of_notes_worked_together_some_wait_and_each_counts_once(
    gateway: Gateway, ingest: Ingest, feedback: Feedback, rows: Rows
) -> None:
    """Two erasures name one operation, whose shard is free; rows of another's are being made."""
    await world(ingest, feedback)
    assert shard_of("acme", "op-2") != shard_of("acme", "op-3")
    first, second = [(await gateway.erase(user_id=f"nobody-{n}"))["id"] for n in (1, 2)]
    kept = (
        "SELECT (SELECT count(*) FROM feedback_analysis WHERE operation_id = $1)"
        " + (SELECT count(*) FROM model_training_data WHERE operation_id = $1)"
    )
    (here,), (there,) = await rows(kept, "op-2"), await rows(kept, "op-3")
    assert min(here[0], there[0]) > 0
    named = [(first, "op-2"), (second, "op-2"), (second, "op-3")]
    notes = [
        Note("acme", "feedback", one, "operation", name, erased_before=utc_now())
        for one, name in named
    ]
    async with (
        feedback.pool.acquire() as maker,
        maker.transaction(),
        feedback.pool.acquire() as connection,
        connection.transaction(),
    ):
        await making.take_shard(maker, shard_of("acme", "op-3"))
        await connection.execute(TENANT, "acme")
        await due.note(connection, notes)
        taken = await connection.fetch("SELECT * FROM erasure_due ORDER BY due_id")
        worked = await feedback.erasing.noted(connection, "acme", taken)
        left = await connection.fetch("SELECT erasure_id, operation_id FROM erasure_due")
    assert (worked.done, worked.removed) == ([], {first: here[0]})
    assert worked.half == [one["due_id"] for one in taken[:2]]
    assert sorted(map(tuple, left)) == sorted((one.erasure_id, one.operation_id) for one in notes)
    assert [(await rows(kept, name))[0][0] for name in ("op-2", "op-3")] == [0, there[0]]


async def test_what_she_did_not_want_to_be_trained_on_stays_out(
    gateway: Gateway, ingest: Ingest, feedback: Feedback, rows: Rows
) -> None:
    """Her word is erased; that would else let in what it kept out."""
    texts = {"user_id": "bob", "input_text": "bob asks", "output_text": "an answer"}
    await ingest.take(OPERATIONS, [operation(n, **texts) for n in (1, 2)])
    refusals = [
        said(n, event_id=str(uuid4()), user_id=ANNA, rating=1, training_consent=False)
        for n in (1, 2)
    ]
    later = said(2, event_id=str(uuid4()), user_id=ANNA, rating=1, training_consent=True)
    others = [said(n, event_id=str(uuid4()), user_id="carl", rating=5) for n in (1, 2)]
    await ingest.take(FEEDBACK, [*refusals, *others])
    await feedback.take(ingest.last)
    await ingest.take(FEEDBACK, [later])
    await feedback.take(ingest.last)
    await feedback.make()
    ready = "SELECT operation_id FROM model_training_data WHERE state = 'ready'"
    assert [row[0] for row in await rows(ready)] == ["op-2"]
    await gateway.erase(user_id=ANNA)
    await ingest.settle()
    await feedback.settle()
    assert [row[0] for row in await rows(ready)] == ["op-2"]
    better = said(1, event_id=str(uuid4()), user_id="carl", rating=2, correction="a better one")
    await ingest.take(FEEDBACK, [better])
    await feedback.take(ingest.last)
    await feedback.make()
    assert [row[0] for row in await rows(ready)] == ["op-2"]
    texts_left = "SELECT 1 FROM model_training_data WHERE operation_id = 'op-1'"
    assert await rows(f"{texts_left} AND coalesce(input, output, correction) IS NOT NULL") == []
