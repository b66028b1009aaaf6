"""ingest's rows of a person go, whoever was writing when it was asked for, and what comes again."""

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from deploy.jobs.recount import recount
from services.gateway.domain.erasures import ErasureRequest, asked
from services.gateway.queries import erasures
from services.ingest.domain.batch import read_batch
from services.ingest.store.batches import _insert
from shared.codec import microseconds
from shared.events.operation import OperationEvent
from shared.ids import new_id
from tests.integration.privacy.parts import (
    FEEDBACK,
    NAMES,
    OPERATIONS,
    Gateway,
    Ingest,
)
from tests.support.events import feedback, operation
from tests.support.system import Rows
from tests.support.traces import in_postgres as traces

ANNA = "anna-of-acme"
TEXT = "a planted text of hers"
HOURS = timedelta(hours=6)


def hers(number: int, **changes: Any) -> dict[str, Any]:
    """An operation of the person."""
    return operation(
        number,
        user_id=ANNA,
        input_text=f"{TEXT} {number}",
        error_message=TEXT,
        metadata={"note": TEXT},
        **changes,
    )


def trace_names() -> tuple[str, ...]:
    return ANNA, NAMES.pseudonym("acme", ANNA), TEXT


async def receipt(gateway: Gateway, made: dict[str, Any], store: str = "postgres") -> Any:
    found = await gateway.erasure(made)
    return next(
        one for one in found["receipts"] if (one["service"], one["store"]) == ("ingest", store)
    )


async def counted(rows: Rows) -> list[Any]:
    found = await rows(
        "SELECT model_id, sum(n)::int, sum(ok)::int, sum(rt_us)::bigint, sum(f_n)::int"
        " FROM operation_rollup_minute GROUP BY 1 ORDER BY 1"
    )
    return [tuple(row) for row in found]


async def agrees(rows: Rows, dsn: str) -> bool:
    assert rows
    connection = await asyncpg.connect(dsn)
    try:
        return not (await recount(connection, datetime.now(UTC) - HOURS)).differences
    finally:
        await connection.close()


async def test_rows_and_texts_go_and_counts_stay(
    gateway: Gateway, ingest: Ingest, rows: Rows, fresh_database: str
) -> None:
    await ingest.take(OPERATIONS, [hers(1), hers(2), operation(3), operation(4)])
    await ingest.take(
        FEEDBACK,
        [
            feedback(3, user_id=ANNA, comment=TEXT, model_id="model-0"),
            feedback(1, user_id="bob", comment=f"bob quotes {TEXT}", model_id="model-1"),
            feedback(4, user_id="bob", model_id="model-1"),
        ],
    )
    await ingest.take(OPERATIONS, [b'{"tenant_id":"acme","user_id":"%s"' % ANNA.encode()])
    before = await counted(rows)
    made = await gateway.erase(user_id=ANNA)
    await ingest.settle()

    found = await rows("SELECT operation_id FROM ai_model_operations ORDER BY 1")
    assert [row[0] for row in found] == ["op-3", "op-4"]
    said = await rows("SELECT operation_id FROM user_feedback")
    assert [row[0] for row in said] == ["op-4"]
    told = await receipt(gateway, made)
    assert told["at"] is not None
    assert told["removed"] == 5  # two operations, two feedbacks, one dead letter
    # The task itself still knows the pseudonym: other stores have not answered.
    pseudonym = NAMES.pseudonym("acme", ANNA)
    assert await traces(fresh_database, *trace_names()) == {"erasures": 1}
    assert (await rows("SELECT subject->>'user_id' FROM erasures"))[0][0] == pseudonym
    assert await counted(rows) == before
    assert await agrees(rows, fresh_database)
    kafka = await receipt(gateway, made, "kafka")
    assert kafka["removed"] is None
    assert kafka["until"] > datetime.now(UTC) + timedelta(days=13)


async def test_what_comes_again_or_late_is_dropped_and_counts_once(
    gateway: Gateway, ingest: Ingest, rows: Rows, fresh_database: str
) -> None:
    stored, late, other = hers(1), hers(2), operation(3)
    await ingest.take(OPERATIONS, [stored, other])
    await gateway.erase(user_id=ANNA)
    # Before anything is erased: what is stored is dropped when it comes again, and counts no more.
    verdicts = await ingest.take(OPERATIONS, [stored, other])
    assert verdicts == (0, 1, 0, 1)
    await ingest.settle()
    after = await counted(rows)
    assert sum(row[1] for row in after) == 2
    verdicts = await ingest.take(OPERATIONS, [stored, late, late, operation(4)])
    assert verdicts == (1, 0, 0, 3)
    assert sum(row[1] for row in await counted(rows)) == 4
    verdicts = await ingest.take(OPERATIONS, [stored, late])
    assert verdicts == (0, 0, 0, 2)
    assert sum(row[1] for row in await counted(rows)) == 4
    letters = await ingest.take(OPERATIONS, [b'{"tenant_id":"acme","user_id":"anna-of-acme",'])
    assert letters.dead + letters.erased == 1
    assert await agrees(rows, fresh_database)
    found = await rows("SELECT operation_id FROM ai_model_operations ORDER BY 1")
    assert [row[0] for row in found] == ["op-3", "op-4"]
    new = hers(9, occurred_at=(datetime.now(UTC) + timedelta(seconds=5)).isoformat())
    assert (await ingest.take(OPERATIONS, [new])).accepted == 1


async def test_feedback_on_an_erased_operation_is_dropped(
    gateway: Gateway, ingest: Ingest, rows: Rows
) -> None:
    await ingest.take(OPERATIONS, [hers(1)])
    said = feedback(1, user_id="bob", comment=TEXT)
    await gateway.erase(user_id=ANNA)
    await ingest.settle()
    assert (await ingest.take(FEEDBACK, [said])).erased == 1
    assert await rows("SELECT 1 FROM user_feedback") == []


@pytest.mark.parametrize("writer", ["began before the mark", "began while it was being written"])
async def test_a_writer_that_saw_no_mark_is_waited_for(
    gateway: Gateway,
    ingest: Ingest,
    rows: Rows,
    dsns: dict[str, str],
    writer: str,
) -> None:
    """A transaction number tells when somebody began, not when a mark became visible."""
    await ingest.take(OPERATIONS, [operation(100)])  # makes the day's partition
    records = ingest.records(OPERATIONS, [hers(1)])
    batch = read_batch(OperationEvent, records, {"acme"}, microseconds(datetime.now(UTC)), None)
    fence = await ingest.store.claim(OPERATIONS, 0)
    keeper = await asyncpg.connect(dsns["gateway"])
    lock = keeper.transaction()
    made: dict[str, Any] = {}
    if writer != "began before the mark":
        await lock.start()
        await keeper.execute("SELECT set_config('app.tenant_id', 'acme', true)")
        await keeper.fetchval("SELECT pg_current_xact_id()")
    store = ingest.store
    async with store._fence.fenced(OPERATIONS, fence, records[-1].offset + 1, 0) as connection:
        assert await store._dropping.gone(connection, batch.good) == {}
        if writer != "began before the mark":
            await _mark(keeper)
            await lock.commit()
        else:
            made = await gateway.erase(user_id=ANNA)
        await ingest.settle()
        table, prepared, _ = store._prepared(batch.good)
        fresh, _ = await _insert(connection, table, batch.good, prepared)
        assert fresh == [0]
        await ingest.settle()
        if made:
            assert (await receipt(gateway, made))["at"] is None
    assert len(await rows("SELECT 1 FROM ai_model_operations WHERE operation_id = 'op-1'")) == 1
    await ingest.settle()
    assert await rows("SELECT 1 FROM ai_model_operations WHERE operation_id = 'op-1'") == []
    await keeper.close()


async def test_names_and_texts_go_and_rows_stay_when_anonymised(
    gateway: Gateway, ingest: Ingest, rows: Rows, fresh_database: str
) -> None:
    events = [hers(1, session_id="s-1", trace_id="t-1"), operation(3)]
    await ingest.take(OPERATIONS, events)
    said = feedback(1, user_id="bob", comment=f"about {TEXT}", model_id="model-1")
    await ingest.take(FEEDBACK, [said, feedback(3, user_id=ANNA, model_id="model-0")])
    before = await counted(rows)
    await gateway.erase(user_id=ANNA, mode="anonymise")
    await ingest.settle()
    found = await rows(
        "SELECT operation_id, user_pseudonym, session_id, trace_id, input_text, metadata,"
        " error_message FROM ai_model_operations WHERE operation_id <> 'op-3'"
    )
    assert len(found) == 1
    assert found[0][0].startswith("erased.")
    assert tuple(found[0])[1:] == (None,) * 6
    both = await rows("SELECT operation_id, comment, user_pseudonym FROM user_feedback")
    assert sorted(row["operation_id"] for row in both) == sorted([found[0][0], "op-3"])
    assert [row["comment"] for row in both] == [None, None]
    assert await counted(rows) == before
    assert await agrees(rows, fresh_database)
    assert await traces(fresh_database, *trace_names(), '"op-1"', "s-1") == {"erasures": 1}
    assert (await ingest.take(OPERATIONS, events)) == (0, 1, 0, 1)
    assert await counted(rows) == before


async def test_a_filter_and_an_operation(gateway: Gateway, ingest: Ingest, rows: Rows) -> None:
    await ingest.take(
        OPERATIONS,
        [
            operation(1, session_id="s-1"),
            operation(2, session_id="s-1", agent_id="other"),
            operation(3, session_id="s-2"),
            operation(4),
        ],
    )
    await gateway.erase(filter={"session_id": "s-1", "agent_id": "agent"})
    await gateway.erase(operation_id="op-4")
    await ingest.settle()
    found = await rows("SELECT operation_id FROM ai_model_operations ORDER BY 1")
    assert [row[0] for row in found] == ["op-2", "op-3"]


async def _mark(keeper: asyncpg.Connection) -> None:
    """The mark of an erasure, in a transaction that began before its writer."""
    now = datetime.now(UTC)
    request = ErasureRequest(user_id=ANNA)
    kept = asked(request, "acme", NAMES, (new_id(), "key:tests"), (now, now + HOURS))
    await erasures.one_mark_at_a_time(keeper)
    await erasures.insert(keeper, "acme", kept)
