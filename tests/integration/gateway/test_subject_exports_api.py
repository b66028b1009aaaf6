"""Exports of a person's data over HTTP: asked for, waited for, fetched, and audited."""

from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any
from uuid import uuid4
from zipfile import ZipFile

import httpx2
import pytest
from pydantic_core import from_json

from tests.integration.gateway.callers import Alone
from tests.support.system import Rows
from tests.support.waiting import eventually

ALL = "/ai/privacy/exports"


@pytest.fixture(autouse=True)
async def nothing(alone: Alone) -> AsyncIterator[None]:
    """No exports before, and none after."""
    yield
    await alone.rows("DELETE FROM subject_export_parts")
    await alone.rows("DELETE FROM subject_exports")
    await alone.rows("DELETE FROM dead_letters")


async def asked(client: httpx2.AsyncClient, **body: Any) -> dict[str, Any]:
    answer = await client.post(ALL, json=body)
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


async def fetched(client: httpx2.AsyncClient, made: dict[str, Any]) -> httpx2.Response:
    async def is_ready() -> bool:
        return (await client.get(f"{ALL}/{made['id']}")).status_code == 200

    await eventually(is_ready, why="it is made", deadline_s=30)
    return await client.get(f"{ALL}/{made['id']}")


async def plant_letter(rows: Rows) -> None:
    await rows(
        "INSERT INTO dead_letters (topic, partition, kafka_offset, reason, detail, tenant_id,"
        " record_value, record_timestamp)"
        " VALUES ('t', 0, 1, 'invalid_json', '', 'acme', $1, now())",
        b'"user_id" is "anna"',
    )


async def test_a_file_is_asked_for_waited_for_and_fetched(alone: Alone) -> None:
    await plant_letter(alone.rows)
    made = await asked(alone.admin, user_id="anna")
    assert made["status"] == "pending"
    answer = await fetched(alone.admin, made)
    assert answer.headers["content-type"] == "application/zip"
    assert made["id"] in answer.headers["content-disposition"]
    assert answer.headers["cache-control"] == "no-store"
    with ZipFile(BytesIO(answer.content)) as file:
        assert file.namelist() == ["manifest.json", "dead_letters.jsonl"]
        letter = from_json(file.read("dead_letters.jsonl"))
        assert letter["record_value"] == '"user_id" is "anna"'
        manifest = from_json(file.read("manifest.json"))
    assert manifest["export"] == made["id"]
    assert manifest["not_here"]


async def test_while_it_is_made_one_is_told_to_come_back(alone: Alone) -> None:
    made = await asked(alone.admin, user_id="anna")
    await alone.rows("UPDATE subject_exports SET status = 'clearing', completed_at = NULL")
    answer = await alone.admin.get(f"{ALL}/{made['id']}")
    assert (answer.status_code, answer.json()["status"]) == (202, "pending")
    assert answer.headers["retry-after"]


async def test_asking_and_fetching_are_told_to_the_audit_log_by_hash_only(alone: Alone) -> None:
    made = await asked(alone.admin, user_id="anna of the audit")
    await fetched(alone.admin, made)
    found = await alone.rows(
        "SELECT action, actor, after FROM audit_log WHERE object_id = $1 ORDER BY sequence",
        made["id"],
    )
    assert found[0]["action"] == "subject_export.create"
    assert {row["action"] for row in found[1:]} == {"subject_export.download"}
    for row in found:
        assert row["actor"].startswith("key:")
        assert from_json(row["after"]) == {"subject_hash": made["subject_hash"]}


async def test_it_is_the_tenants_own_and_of_admins_only(alone: Alone) -> None:
    made = await asked(alone.admin, user_id="anna")
    assert (await alone.stranger.get(f"{ALL}/{made['id']}")).status_code == 404
    assert (await alone.admin.get(f"{ALL}/{uuid4()}")).status_code == 404
    for client in (alone.viewer, alone.agent):
        assert (await client.get(f"{ALL}/{made['id']}")).status_code == 403
        assert (await client.post(ALL, json={"user_id": "anna"})).status_code == 403


@pytest.mark.parametrize("body", [{}, {"user_id": ""}, {"user_id": "a", "tenant_id": "globex"}])
async def test_what_names_nobody_or_too_much_is_refused(alone: Alone, body: Any) -> None:
    assert (await alone.admin.post(ALL, json=body)).status_code == 422
    assert await alone.rows("SELECT 1 FROM subject_exports") == []


async def test_a_repeat_with_its_key_is_the_same_export(alone: Alone) -> None:
    body, headers = {"user_id": "anna"}, {"Idempotency-Key": uuid4().hex}
    first, then = [await alone.admin.post(ALL, json=body, headers=headers) for _ in range(2)]
    assert first.json()["id"] == then.json()["id"]
    for key in [key async for key in alone.redis.scan_iter("idempotency:*")]:
        assert b"anna" not in await alone.redis.get(key)
