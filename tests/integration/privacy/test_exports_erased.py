"""Exports follow erasures: they go with their person, and are made anew without what went."""

import asyncio
from typing import Any

import asyncpg
import pytest

from services.gateway.domain.problems import Problem
from shared.privacy.tasks import TENANT
from tests.integration.privacy.exported import (
    ANNA,
    OTHERS_TEXT,
    PSEUDONYM,
    TEXT,
    hers,
    opinion,
    world,
)
from tests.integration.privacy.parts import (
    FEEDBACK,
    OPERATIONS,
    Abtest,
    Feedback,
    Gateway,
    Ingest,
)
from tests.support.system import Rows
from tests.support.traces import in_postgres as traces
from tests.support.waiting import eventually


async def erased(
    gateway: Gateway, ingest: Ingest, feedback: Feedback, abtest: Abtest, **asked: Any
) -> dict[str, Any]:
    """An erasure that all of them have worked at."""
    made = await gateway.erase(**asked)
    for _ in range(4):
        for service in (ingest, feedback, abtest, gateway):
            await service.settle()
    return await gateway.erasure(made)


def answered(erasure: dict[str, Any]) -> Any:
    return next(
        one["at"]
        for one in erasure["receipts"]
        if (one["service"], one["store"]) == ("gateway", "postgres")
    )


async def test_an_erased_persons_exports_go_with_her(
    gateway: Gateway,
    ingest: Ingest,
    feedback: Feedback,
    abtest: Abtest,
    rows: Rows,
    fresh_database: str,
) -> None:
    await world(ingest, feedback, abtest, rows)
    ready, begun, of_bob = [await gateway.ask_export(who) for who in (ANNA, ANNA, "bob")]
    await gateway.make_exports()
    await gateway.exports.step("acme", begun)
    done = await erased(gateway, ingest, feedback, abtest, user_id=ANNA)
    assert answered(done)
    await gateway.make_exports()
    for export_id in (ready, begun):
        with pytest.raises(Problem, match="erased"):
            await gateway.exports.get("acme", export_id)
    assert OTHERS_TEXT in str(await gateway.file(of_bob))
    left = await rows(
        "SELECT count(*) FROM subject_export_parts WHERE export_id = ANY($1)", [ready, begun]
    )
    assert left[0][0] == 0
    found = await traces(fresh_database, PSEUDONYM, TEXT)
    assert "subject_exports" not in found
    assert "subject_export_parts" not in found


async def test_an_erased_operation_leaves_exports_which_are_made_anew(
    gateway: Gateway, ingest: Ingest, feedback: Feedback, abtest: Abtest
) -> None:
    await ingest.take(OPERATIONS, [hers(1), hers(2)])
    export_id, of_bob = await gateway.ask_export(ANNA), await gateway.ask_export("bob")
    await gateway.make_exports()
    bobs = (await gateway.exports.get("acme", of_bob))["completed_at"]
    assert answered(await erased(gateway, ingest, feedback, abtest, operation_id="op-1"))
    assert (await gateway.exports.get("acme", export_id))["status"] == "pending"
    assert (await gateway.exports.get("acme", of_bob))["completed_at"] == bobs
    await gateway.make_exports()
    found = await gateway.file(export_id)
    assert [line["operation_id"] for line in found["operations"]] == ["op-2"]


async def test_an_erasure_by_a_filter_reaches_exports_too(
    gateway: Gateway, ingest: Ingest, feedback: Feedback, abtest: Abtest
) -> None:
    await ingest.take(OPERATIONS, [hers(1, model_id="old"), hers(2, model_id="new")])
    export_id = await gateway.ask_export(ANNA)
    await gateway.make_exports()
    assert answered(await erased(gateway, ingest, feedback, abtest, filter={"model_id": "old"}))
    await gateway.make_exports()
    found = await gateway.file(export_id)
    assert [line["model_id"] for line in found["operations"]] == ["new"]


async def test_a_file_that_is_being_sent_breaks_off_when_its_person_is_erased(
    gateway: Gateway, ingest: Ingest, feedback: Feedback, abtest: Abtest
) -> None:
    await ingest.take(OPERATIONS, [hers(1)])
    await ingest.take(FEEDBACK, [opinion(1, ANNA)])
    export_id = await gateway.ask_export(ANNA)
    await gateway.make_exports()
    row = await gateway.exports.get("acme", export_id)
    async with gateway.exporting.opened("acme", row) as file:
        chunks = aiter(file.chunks)
        await anext(chunks)
        await erased(gateway, ingest, feedback, abtest, user_id=ANNA)
        with pytest.raises(RuntimeError, match="ended while it was read"):
            async for _ in chunks:
                pass


async def test_a_portion_that_read_before_an_erasure_is_waited_for(
    gateway: Gateway,
    ingest: Ingest,
    feedback: Feedback,
    abtest: Abtest,
    dsns: dict[str, str],
    rows: Rows,
) -> None:
    """Under the lock it may still write what it has read: only afterwards is cleared."""
    await ingest.take(OPERATIONS, [hers(1)])
    export_id = await gateway.ask_export(ANNA)
    await gateway.erase(operation_id="op-1")
    for service in (ingest, feedback, abtest) * 4:
        await service.settle()
    await gateway.eraser.look()  # from here on it waits for nobody who begins later
    async with asyncpg.create_pool(dsns["gateway"], min_size=1, max_size=1) as pool:
        connection = await pool.acquire()
        try:
            work = connection.transaction()
            await work.start()
            await connection.execute(TENANT, "acme")
            await connection.execute("SELECT 1 FROM subject_exports FOR UPDATE")
            erasing = asyncio.ensure_future(gateway.settle())
            await _waits_for_a_lock(rows)
            await connection.execute(
                "INSERT INTO subject_export_parts"
                " (tenant_id, export_id, seq, class, lines, operations, body)"
                " VALUES ('acme', $1, 1, 'operations', 1, '{op-1}', 'planted')",
                export_id,
            )
            await connection.execute(
                "UPDATE subject_exports SET status = 'ready', completed_at = now()"
            )
            await work.commit()
            await erasing
        finally:
            await pool.release(connection)
    assert await rows("SELECT 1 FROM subject_export_parts") == []
    assert (await gateway.exports.get("acme", export_id))["status"] == "pending"


async def _waits_for_a_lock(rows: Rows) -> None:
    async def waits() -> bool:
        found = await rows(
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND datname = current_database() AND query LIKE '%subject_exports%'"
        )
        return bool(found)

    await eventually(waits, why="the eraser waits for the lock")
