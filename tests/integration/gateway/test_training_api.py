"""Training rows: lists, filters, one, and those that are taken out for good."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.gateway.domain.training import TrainingRowView
from shared.training.row import COLUMNS
from shared.training.shards import shard_of
from tests.integration.gateway.callers import Alone
from tests.integration.gateway.trained import (
    HOSTILE,
    LINEAGE,
    NOON,
    forget_training,
    store_training,
)

ALL = "/ai/training-data"


@pytest.fixture(autouse=True)
async def clean(alone: Alone) -> None:
    await forget_training(alone.rows)


async def found(alone: Alone, **asked: Any) -> list[UUID]:
    answer = await alone.viewer.get(ALL, params=asked)
    assert answer.status_code == 200, answer.text
    return [UUID(one["id"]) for one in answer.json()["items"]]


def test_the_document_names_the_members_of_a_row() -> None:
    assert tuple(TrainingRowView.model_fields) == COLUMNS


async def test_a_row_is_answered_whole(alone: Alone) -> None:
    row_id = await store_training(alone.rows, input=HOSTILE, correction="2", consent=True)
    (item,) = (await alone.viewer.get(ALL)).json()["items"]
    assert tuple(item) == COLUMNS
    assert (item["input"], item["correction"], item["consent"]) == (HOSTILE, "2", True)
    assert (item["occurred_at"], item["lineage"]) == ("2026-11-20T12:00:00Z", LINEAGE)
    assert item["reasons"] == ["2 of 2 users found it helpful"]
    assert (await alone.viewer.get(f"{ALL}/{row_id}")).json() == item
    TrainingRowView.model_validate(item)


async def test_each_filter_finds_its_own(alone: Alone) -> None:
    await store_training(alone.rows, NOON + timedelta(hours=1), quality=0.4, weight=0.2)
    other: dict[str, Any] = {
        "model_id": "m-2",
        "agent_id": "planner",
        "environment": "staging",
        "operation_type": "embedding",
        "operation_id": "op-2",
        "kind": "correction",
        "split": "test",
    }
    row_id = await store_training(alone.rows, quality=0.75, weight=0.5, consent=True, **other)
    asked = other | {"min_quality": 0.75, "min_weight": 0.5, "consent": "true"}
    asked["to"] = (NOON + timedelta(minutes=1)).isoformat()
    for name, value in asked.items():
        assert await found(alone, **{name: value}) == [row_id], name
    assert await found(alone, **asked) == [row_id]
    (later,) = await found(alone, **{"from": (NOON + timedelta(hours=1)).isoformat()})
    assert await found(alone, max_quality=0.4) == [later]
    assert await found(alone, consent="unknown") == [later]
    assert await found(alone, consent="false") == []


async def test_three_pages_hold_each_row_once_also_of_one_instant(alone: Alone) -> None:
    ids = sorted([await store_training(alone.rows) for _ in range(4)], reverse=True)
    ids.append(await store_training(alone.rows, NOON - timedelta(hours=1)))
    seen: list[UUID] = []
    cursor: str | None = None
    for size in (2, 2, 1):
        asked = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = (await alone.viewer.get(ALL, params=asked)).json()
        assert len(page["items"]) == size
        seen += [UUID(one["id"]) for one in page["items"]]
        cursor = page["next_cursor"]
    assert (seen, cursor) == (ids, None)


async def test_withdrawn_rows_are_never_there(alone: Alone) -> None:
    row_id = await store_training(alone.rows, state="withdrawn", input=None, output=None)
    assert await found(alone) == []
    assert (await alone.viewer.get(f"{ALL}/{row_id}")).status_code == 404
    assert (await alone.admin.delete(f"{ALL}/{row_id}")).status_code == 404


async def test_a_row_that_is_taken_out_is_gone_at_once_and_its_operation_due(alone: Alone) -> None:
    row_id = await store_training(alone.rows, operation_id="op-1")
    stays = await store_training(alone.rows, operation_id="op-1", kind="correction")
    assert (await alone.admin.delete(f"{ALL}/{row_id}")).status_code == 204
    assert await found(alone) == [stays]
    assert (await alone.viewer.get(f"{ALL}/{row_id}")).status_code == 404
    assert (await alone.admin.delete(f"{ALL}/{row_id}")).status_code == 404
    (block,) = await alone.rows("SELECT * FROM training_blocks")
    assert (block["row_id"], block["operation_id"]) == (row_id, "op-1")
    assert block["blocked_by"].startswith("key:")
    (due,) = await alone.rows("SELECT * FROM feedback_due")
    assert (due["operation_id"], due["shard"]) == ("op-1", shard_of("acme", "op-1"))


async def test_a_removal_that_is_repeated_with_its_key_is_answered_alike(alone: Alone) -> None:
    row_id = await store_training(alone.rows)
    key = {"Idempotency-Key": str(uuid4())}
    for _ in range(2):
        assert (await alone.admin.delete(f"{ALL}/{row_id}", headers=key)).status_code == 204


async def test_nothing_crosses_from_tenant_to_tenant(alone: Alone) -> None:
    row_id = await store_training(alone.rows)
    assert (await alone.stranger.get(ALL)).json()["items"] == []
    assert (await alone.stranger.get(f"{ALL}/{row_id}")).status_code == 404
    assert (await alone.stranger.delete(f"{ALL}/{row_id}")).status_code == 404
    assert await found(alone) == [row_id]
    # A block of another tenant, whatever it names, takes nothing out.
    await alone.rows(
        "INSERT INTO training_blocks (tenant_id, row_id, operation_id, blocked_by) "
        "VALUES ('globex', $1, 'op', 'key:x')",
        row_id,
    )
    assert await found(alone) == [row_id]


async def test_who_may_not_is_told(alone: Alone) -> None:
    row_id = await store_training(alone.rows)
    assert (await alone.agent.get(ALL)).status_code == 403
    assert (await alone.viewer.delete(f"{ALL}/{row_id}")).status_code == 403
    assert await found(alone) == [row_id]


@pytest.mark.parametrize(
    "asked", ["min_quality=2", "consent=maybe", "kind=x", "split=half", "from=yesterday", "limit=0"]
)
async def test_a_wrong_filter_is_refused(alone: Alone, asked: str) -> None:
    answer = await alone.viewer.get(f"{ALL}?{asked}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == f"/{asked.partition('=')[0]}"


async def test_an_id_that_is_none_is_refused(alone: Alone) -> None:
    assert (await alone.viewer.get(f"{ALL}/nonsense")).status_code == 422
    unknown = await alone.viewer.get(f"{ALL}/{uuid4()}")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "/problems/not-found")
