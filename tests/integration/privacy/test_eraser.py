"""Whose erasure cannot go on holds up nobody else's, and services answer for themselves only."""

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from services.gateway.domain.erasures import ErasureRequest
from services.ingest.queries import erased
from shared.audit.who import Who, act_as
from shared.delivery.postgres import Session
from shared.privacy import tasks
from shared.privacy.eraser import Did, Eraser
from shared.privacy.tasks import Task
from shared.stores import pooled
from tests.integration.privacy.parts import FEEDBACK, OPERATIONS, Gateway, Ingest
from tests.support.events import feedback, operation
from tests.support.system import Rows

ANNA = "anna-of-acme"
FAR = 2**60
OPEN = 120


def receipt(found: dict[str, Any], service: str, store: str = "postgres") -> Any:
    return next(
        one for one in found["receipts"] if (one["service"], one["store"]) == (service, store)
    )


async def test_one_that_fails_keeps_no_other_from_its_turn(
    gateway: Gateway, dsns: dict[str, str]
) -> None:
    broken, fine = [await gateway.erase(user_id=name) for name in (ANNA, "bob")]

    async def erase(_: Session, task: Task) -> Did:
        if task.erasure_id == broken["id"]:
            raise asyncpg.QueryCanceledError("canceling statement due to statement timeout")
        return Did(removed=3)

    async with asyncpg.create_pool(dsns["notify"], min_size=0, max_size=2) as pool:
        eraser = Eraser("notify", pooled(pool), {"postgres": erase})
        while await eraser.look():
            pass
    assert receipt(await gateway.erasure(fine), "notify")["removed"] == 3
    assert receipt(await gateway.erasure(broken), "notify")["at"] is None


async def test_who_asks_for_much_makes_no_other_tenant_wait(
    gateway: Gateway, rows: Rows, dsns: dict[str, str]
) -> None:
    await rows(
        """
        WITH made AS (
            INSERT INTO erasures (tenant_id, erasure_id, mode, kind, subject, subject_hash,
                                  erased_before, deadline, created_by)
            SELECT 'acme', gen_random_uuid(), 'erase', 'user', '{"user_id":"v1.x"}', 'h', now(),
                   now(), 'test' FROM generate_series(1, $1::integer)
            RETURNING tenant_id, erasure_id)
        INSERT INTO erasure_receipts (tenant_id, erasure_id, service, store)
        SELECT tenant_id, erasure_id, 'notify', 'postgres' FROM made
        """,
        OPEN,
    )
    act_as(Who("key:tests", "admin"))
    await gateway.erasing.erase("globex", ErasureRequest(user_id="gert"), "key:tests")
    connection = await asyncpg.connect(dsns["notify"])
    found = await tasks.open_tasks(connection, "notify")
    await connection.close()
    assert {key[0] for key in found[:2]} == {"acme", "globex"}


@pytest.mark.parametrize("asked", [{"user_id": ANNA}, {"filter": {"model_id": "model-1"}}])
@pytest.mark.parametrize("mode", ["erase", "anonymise"])
async def test_rows_of_one_instant_go_a_portion_at_a_time(
    gateway: Gateway,
    ingest: Ingest,
    rows: Rows,
    monkeypatch: pytest.MonkeyPatch,
    mode: str,
    asked: dict[str, Any],
) -> None:
    monkeypatch.setattr(erased, "MOST_ROWS", 2)
    at = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    same = {"occurred_at": at, "user_id": ANNA, "model_id": "model-1"}
    await ingest.take(OPERATIONS, [operation(n, input_text="hers", **same) for n in range(5)])
    said = {"occurred_at": at, "user_id": "bob", "comment": "hers", "model_id": "model-1"}
    await ingest.take(FEEDBACK, [feedback(n, operation_id="op-1", **said) for n in range(7)])
    made = await gateway.erase(mode=mode, **asked)
    await ingest.settle()
    told = receipt(await gateway.erasure(made), "ingest")
    assert told["at"] is not None
    assert told["removed"] >= 12
    left = await rows("SELECT user_pseudonym, input_text FROM ai_model_operations")
    left += await rows("SELECT user_pseudonym, comment FROM user_feedback")
    assert [tuple(row) for row in left] == [(None, None)] * (12 if mode == "anonymise" else 0)


async def test_numbers_of_another_server_are_taken_anew(
    gateway: Gateway, ingest: Ingest, rows: Rows
) -> None:
    """A dump that is put back brings numbers with it that are far ahead of the new server's."""
    await ingest.take(OPERATIONS, [operation(1, user_id=ANNA)])
    await ingest.take(FEEDBACK, [feedback(1, user_id="bob")])
    made = await gateway.erase(user_id=ANNA)
    await ingest.eraser.look()
    await rows("UPDATE erasure_receipts SET seen_xid = $1", FAR)
    while not await rows("SELECT 1 FROM erasure_due"):
        assert await ingest.eraser.look()
    await rows("UPDATE erasure_due SET seen_xid = $1", FAR)
    await ingest.settle()
    assert receipt(await gateway.erasure(made), "ingest")["at"] is not None
    assert (
        await rows("SELECT 1 FROM ai_model_operations UNION ALL SELECT 1 FROM user_feedback") == []
    )


@pytest.mark.parametrize(
    "statement",
    [
        'UPDATE erasures SET subject = \'{"model_id": "model-1"}\'',
        "UPDATE erasures SET status = 'completed', completed_at = now(), subject = NULL",
        "UPDATE erasure_receipts SET at = now() WHERE service = 'ingest'",
        "DELETE FROM erasure_due",
        "INSERT INTO erasure_due (tenant_id, service, what, operation_id, erased_before)"
        " VALUES ('acme', 'ingest', 'operation', 'op-1', now())",
    ],
)
async def test_a_service_ends_its_own_part_only(
    gateway: Gateway, dsns: dict[str, str], statement: str
) -> None:
    await gateway.erase(user_id=ANNA)
    connection = await asyncpg.connect(dsns["notify"])
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(statement)
    await connection.execute("UPDATE erasure_receipts SET removed = 0 WHERE service = 'notify'")
    await connection.close()
