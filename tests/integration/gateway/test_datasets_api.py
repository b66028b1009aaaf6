"""Datasets: asked for, waited for, listed; frozen by SQL, as group `feedback` does it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from services.gateway.service import freezing
from tests.integration.gateway.callers import Alone
from tests.integration.gateway.trained import forget_training, store_dataset
from tests.support.waiting import eventually

ALL = "/ai/training-data/datasets"
FROZEN = """
    UPDATE datasets SET state = 'frozen', rows = 2, sha256 = 'ab', manifest = '{"rows": 2}',
                        formula_version = '1', frozen_at = now()
     WHERE state = 'freezing' RETURNING dataset_id
"""
FAILED = """
    UPDATE datasets SET state = 'failed', failure = 'too many rows' WHERE state = 'freezing'
    RETURNING dataset_id
"""


@pytest.fixture(autouse=True)
async def clean(alone: Alone) -> None:
    await forget_training(alone.rows)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody freezes anything here: not worth waiting for."""
    monkeypatch.setattr(freezing, "WAIT_S", 0.0)


@asynccontextmanager
async def answered(alone: Alone, statement: str) -> AsyncIterator[None]:
    """Somebody who deals with the next dataset that is asked for."""

    async def deal() -> None:
        await eventually(lambda: alone.rows(statement), why="a dataset is asked for")

    task = asyncio.ensure_future(deal())
    yield
    await task


async def asked(alone: Alone, **body: Any) -> httpx2.Response:
    return await alone.admin.post(ALL, json={"name": "set"} | body)


async def test_a_dataset_is_answered_once_it_is_frozen(alone: Alone) -> None:
    filters = {"model_id": "m", "min_quality": 0.5, "from": "2026-11-01T00:00:00Z", "consent": True}
    async with answered(alone, FROZEN):
        answer = await asked(alone, filters=filters, splits={"train": 0.75, "test": 0.25})
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["name"], made["version"], made["state"]) == ("set", 1, "frozen")
    assert (made["rows"], made["sha256"], made["manifest"]) == (2, "ab", {"rows": 2})
    assert (made["filters"], made["splits"]) == (filters, {"train": 0.75, "test": 0.25})
    assert made["created_by"].startswith("key:")
    assert made["frozen_at"] is not None
    assert (await alone.viewer.get(f"{ALL}/{made['id']}")).json() == made
    (row,) = await alone.rows("SELECT filters, splits FROM datasets")
    assert json.loads(row["filters"]) == filters


async def test_a_dataset_that_cannot_be_frozen_says_why(alone: Alone) -> None:
    async with answered(alone, FAILED):
        made = (await asked(alone)).json()
    assert (made["state"], made["failure"]) == ("failed", "too many rows")


@pytest.mark.usefixtures("hurried")
async def test_one_that_takes_longer_is_answered_as_it_is(alone: Alone) -> None:
    answer = await asked(alone)
    assert (answer.status_code, answer.json()["state"]) == (202, "freezing")
    made = answer.json()
    assert (made["splits"], made["filters"]) == ({"train": 0.9, "validation": 0.1}, {})
    assert (made["rows"], made["sha256"], made["manifest"], made["frozen_at"]) == (None,) * 4


@pytest.mark.usefixtures("hurried")
async def test_versions_of_a_name_follow_one_another(alone: Alone) -> None:
    answers = await asyncio.gather(*(asked(alone) for _ in range(5)), asked(alone, name="other"))
    found = sorted((one.json()["name"], one.json()["version"]) for one in answers)
    assert found == [("other", 1), *(("set", version) for version in range(1, 6))]
    theirs = await alone.stranger.post(ALL, json={"name": "set"})
    assert theirs.json()["version"] == 1


@pytest.mark.usefixtures("hurried")
async def test_a_repeat_with_its_key_makes_no_second_one(alone: Alone) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    answers = [await alone.admin.post(ALL, json={"name": "set"}, headers=key) for _ in range(2)]
    assert [one.status_code for one in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()
    other = await alone.admin.post(ALL, json={"name": "other"}, headers=key)
    assert other.json()["type"] == "/problems/idempotency-reuse"
    assert len((await alone.viewer.get(ALL)).json()["items"]) == 1


@pytest.mark.usefixtures("hurried")
async def test_only_so_many_are_frozen_at_once(alone: Alone) -> None:
    for version in range(freezing.MOST_FREEZING):
        await store_dataset(alone.rows, "freezing", name="set", version=version)
    assert (await asked(alone)).status_code == 409
    assert (await alone.stranger.post(ALL, json={"name": "set"})).status_code == 202


async def test_three_pages_hold_each_dataset_once(alone: Alone) -> None:
    ids = [str(await store_dataset(alone.rows)) for _ in range(5)][::-1]
    seen: list[str] = []
    cursor: str | None = None
    for size in (2, 2, 1):
        params = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = (await alone.viewer.get(ALL, params=params)).json()
        assert len(page["items"]) == size
        seen += [one["id"] for one in page["items"]]
        cursor = page["next_cursor"]
    assert (seen, cursor) == (ids, None)


async def test_nothing_crosses_from_tenant_to_tenant(alone: Alone) -> None:
    dataset = await store_dataset(alone.rows)
    assert (await alone.stranger.get(ALL)).json()["items"] == []
    assert (await alone.stranger.get(f"{ALL}/{dataset}")).status_code == 404
    assert (await alone.viewer.get(f"{ALL}/{dataset}")).status_code == 200
    assert (await alone.viewer.post(ALL, json={"name": "set"})).status_code == 403


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"name": "a\x1fb"}, "/name"),
        ({"name": "a\nb"}, "/name"),
        ({"nam": "set"}, "/nam"),
        ({"filters": {"min_quality": 2}}, "/filters/min_quality"),
        ({"filters": {"from": "2026-11-01"}}, "/filters/from"),
        ({"filters": {"split": "train"}}, "/filters/split"),
        ({"filters": {"consent": "perhaps"}}, "/filters/consent"),
        ({"splits": {"train": 0.9}}, "/splits"),
        ({"splits": {"train": 0.9, "dev": 0.1}}, "/splits"),
        ({"splits": {"train": 2, "test": -1}}, "/splits/train"),
    ],
)
async def test_what_cannot_be_frozen_is_refused_and_named(
    alone: Alone, body: dict[str, Any], pointer: str
) -> None:
    answer = await asked(alone, **body)
    assert answer.status_code == 422, answer.text
    assert pointer in [one["pointer"] for one in answer.json()["errors"]]


async def test_a_mistyped_filter_is_told_by_the_names_that_are_sent(alone: Alone) -> None:
    answer = await asked(alone, filters={"form": "2026-11-01T00:00:00Z"})
    (error,) = answer.json()["errors"]
    assert "did you mean from?" in error["message"]
    assert "start" not in error["message"]
