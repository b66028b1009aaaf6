"""Erasures are taken in, marked and told; the name itself is nowhere from then on."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from shared.privacy.names import Names
from tests.integration.gateway.callers import Alone
from tests.support.system import SECRET

ALL = "/ai/privacy/erasures"
NAMES = Names(SECRET.encode())


@pytest.fixture(autouse=True)
async def nothing(alone: Alone) -> AsyncIterator[None]:
    """No erasures before, and none after."""
    yield
    await alone.rows("DELETE FROM erasures")
    await alone.rows("DELETE FROM erased_subjects")
    await alone.rows("DELETE FROM erasure_events")
    await alone.rows("DELETE FROM dead_letters")


async def asked(client: httpx2.AsyncClient, **body: Any) -> dict[str, Any]:
    answer = await client.post(ALL, json=body)
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


async def test_an_erasure_is_pending_with_a_receipt_to_come_from_every_store(alone: Alone) -> None:
    made = await asked(alone.admin, user_id="anna of acme")
    assert (made["status"], made["mode"], made["kind"]) == ("pending", "erase", "user")
    assert sorted((one["service"], one["store"]) for one in made["receipts"]) == [
        ("abtest", "postgres"),
        ("feedback", "postgres"),
        ("gateway", "postgres"),
        ("gateway", "redis"),
        ("ingest", "kafka"),
        ("ingest", "postgres"),
        ("metrics", "redis"),
        ("notify", "postgres"),
    ]
    found = (await alone.admin.get(f"{ALL}/{made['id']}")).json()
    assert found["id"] == made["id"]
    assert found["created_by"].startswith("key:")


async def test_neither_mark_nor_event_holds_a_name_and_the_task_a_pseudonym_only(
    alone: Alone,
) -> None:
    made = await asked(alone.admin, user_id="anna of acme", mode="anonymise")
    pseudonym = NAMES.pseudonym("acme", "anna of acme")
    task = (await alone.rows("SELECT subject::text AS it FROM erasures"))[0]["it"]
    assert pseudonym in task
    marks = await alone.rows("SELECT names::text AS it FROM erased_subjects")
    told = await alone.rows("SELECT topic, record_key, body::text AS it FROM erasure_events")
    assert [(row["topic"], row["record_key"]) for row in told] == [
        ("erasures.v1", made["subject_hash"])
    ]
    for text in (task, *(row["it"] for row in (*marks, *told))):
        assert "anna" not in text
    for row in (*marks, *told):
        assert pseudonym not in row["it"]


async def test_the_audit_log_is_told_by_whom_and_never_of_whom(alone: Alone) -> None:
    made = await asked(alone.admin, user_id="anna of acme")
    told = "SELECT actor, action, before, after FROM audit_log WHERE object_id = $1"
    (row,) = await alone.rows(told, made["id"])
    assert (row["action"], row["before"]) == ("erasure.create", None)
    assert row["actor"] == made["created_by"]
    assert made["subject_hash"] in row["after"]
    assert "anna" not in row["after"]
    assert NAMES.pseudonym("acme", "anna of acme") not in row["after"]


async def test_the_same_subject_has_the_same_hash_and_another_tenants_another(
    alone: Alone,
) -> None:
    one = await asked(alone.admin, operation_id="op-1")
    again = await asked(alone.admin, operation_id="op-1")
    other = await asked(alone.stranger, operation_id="op-1")
    assert one["subject_hash"] == again["subject_hash"] != other["subject_hash"]


async def test_it_is_the_tenants_own(alone: Alone) -> None:
    made = await asked(alone.admin, operation_id="op-1")
    assert (await alone.stranger.get(f"{ALL}/{made['id']}")).status_code == 404
    assert (await alone.admin.get(f"{ALL}/{uuid4()}")).status_code == 404
    for client in (alone.viewer, alone.agent):
        assert (await client.get(f"{ALL}/{made['id']}")).status_code == 403
        assert (await client.post(ALL, json={"user_id": "anna"})).status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"user_id": "anna", "operation_id": "op"},
        {"filter": {}},
        {"filter": {"from": "2026-01-01T00:00:00Z"}},
        {"filter": {"model_id": "m", "from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}},
        {"filter": {"colour": "red"}},
        {"user_id": "anna", "mode": "forget"},
        {"user_id": ""},
        {"user_id": "anna", "tenant_id": "globex"},
    ],
)
async def test_what_names_nothing_or_too_much_is_refused(alone: Alone, body: Any) -> None:
    answer = await alone.admin.post(ALL, json=body)
    assert answer.status_code == 422, answer.text
    assert await alone.rows("SELECT 1 FROM erasures") == []


async def test_a_repeat_with_its_key_is_the_same_erasure(alone: Alone) -> None:
    body, headers = {"user_id": "anna"}, {"Idempotency-Key": uuid4().hex}
    first, then = [await alone.admin.post(ALL, json=body, headers=headers) for _ in range(2)]
    assert first.json()["id"] == then.json()["id"]
    assert len(await alone.rows("SELECT 1 FROM erasures")) == 1
    for key in [key async for key in alone.redis.scan_iter("idempotency:*")]:
        assert b"anna" not in await alone.redis.get(key)


async def test_dead_letters_go_in_which_the_name_stands_but_no_other_tenants(alone: Alone) -> None:
    values = {
        1: (b'{"tenant_id":"acme","user_id":"anna",', None),
        2: (b'{"tenant_id":"globex","user_id":"anna",', None),
        3: (b'"anna" and nobody else', "acme"),
        4: (b'"anna" and nobody else', "globex"),
        5: (b'"anna" and nobody else', None),
        6: (b'{"tenant_id":"acme","user_id":"annabel"', None),
    }
    for offset, (value, tenant) in values.items():
        await alone.rows(
            "INSERT INTO dead_letters (topic, partition, kafka_offset, reason, detail, tenant_id,"
            " record_value, record_timestamp)"
            " VALUES ('t', 0, $1, 'invalid_json', '', $2, $3, now())",
            *(offset, tenant, value),
        )
    for offset, key, headers in (
        (7, b"anna", "[]"),
        (8, b"anna of globex", "[]"),
        (9, b"k", '[["user", "anna"]]'),
    ):
        await alone.rows(
            "INSERT INTO dead_letters (topic, partition, kafka_offset, reason, detail, tenant_id,"
            " record_key, record_headers, record_timestamp)"
            " VALUES ('t', 0, $1, 'null_value', '', 'acme', $2, $3, now())",
            *(offset, key, headers),
        )
    made = await asked(alone.admin, user_id="anna")
    left = await alone.rows("SELECT kafka_offset FROM dead_letters ORDER BY 1")
    assert [row[0] for row in left] == [2, 4, 5, 6, 8]
    counted = [one for one in made["receipts"] if one["removed"]]
    assert [(one["service"], one["removed"]) for one in counted] == [("ingest", 4)]
