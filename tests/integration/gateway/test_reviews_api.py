"""Review queues: sampled, taken by so many and no more, answered, and compared."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest

from services.gateway.store import reviews as store
from tests.integration.gateway.callers import Alone
from tests.integration.gateway.trained import forget_training, store_analysis, store_training

ALL = "/ai/review-queues"


@pytest.fixture
async def judged(alone: Alone) -> None:
    """Of five operations: of one quality is unsure, on one people disagree."""
    await forget_training(alone.rows)
    await alone.rows("DELETE FROM review_queues")
    for number, quality in enumerate((0.9, 0.52, 0.9, 0.2, 0.75)):
        await store_training(
            alone.rows,
            at=hour_ago(number),
            operation_id=f"op-{number}",
            quality=quality,
            output=f"Answer {number}.",
        )
    for number, score in enumerate((1.0, -1.0)):
        await store_analysis(
            alone.rows, hour_ago(number), event(number), "op-2", score=score, label="neutral"
        )


def hour_ago(number: int) -> datetime:
    return datetime.now(UTC) - timedelta(hours=1, seconds=number)


def event(number: int) -> UUID:
    return UUID(int=number + 1)


async def made(client: httpx2.AsyncClient, **asked: Any) -> dict[str, Any]:
    answer = await client.post(ALL, json={"name": "queue"} | asked)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def following(client: httpx2.AsyncClient, queue: dict[str, Any], who: str) -> dict[str, Any]:
    answer = await client.post(f"{ALL}/{queue['id']}/next", params={"reviewer": who})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@pytest.mark.usefixtures("judged")
@pytest.mark.parametrize(
    ("strategy", "first"), [("uncertainty", "op-1"), ("disagreement", "op-2"), ("both", "op-2")]
)
async def test_what_is_least_known_comes_first(alone: Alone, strategy: str, first: str) -> None:
    queue = await made(alone.admin, strategy=strategy)
    assert queue["items"] == 5
    found = await following(alone.admin, queue, "ann")
    assert found["operation_id"] == first
    assert found["reason"]
    # Whoever asks again has the same, until he has reviewed it or his time is over.
    assert (await following(alone.admin, queue, "ann"))["operation_id"] == first


@pytest.mark.usefixtures("judged")
async def test_no_more_than_so_many_take_one_whoever_asks_at_once(alone: Alone) -> None:
    queue = await made(alone.admin, reviewers=2, filters={"min_quality": 0.5, "max_quality": 0.6})
    assert queue["items"] == 1
    found = await asyncio.gather(
        *(following(alone.admin, queue, f"r{number}") for number in range(20))
    )
    assert sum(one["operation_id"] == "op-1" for one in found) == 2
    assert sum(one["operation_id"] is None for one in found) == 18


@pytest.mark.usefixtures("judged")
async def test_a_place_that_is_not_used_in_time_is_free_again(
    alone: Alone, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = await made(alone.admin, reviewers=1, filters={"min_quality": 0.5, "max_quality": 0.6})
    monkeypatch.setattr(store, "LEASE", timedelta(seconds=-1))
    assert (await following(alone.admin, queue, "ann"))["operation_id"] == "op-1"
    late = await alone.admin.post(
        f"{ALL}/{queue['id']}/items/op-1/review", params={"reviewer": "ann"}, json={"rating": 4}
    )
    assert late.status_code == 409
    assert (await following(alone.admin, queue, "bob"))["operation_id"] == "op-1"
    stranger = await alone.admin.post(
        f"{ALL}/{queue['id']}/items/op-1/review", params={"reviewer": "eve"}, json={"rating": 4}
    )
    assert stranger.status_code == 409


@pytest.mark.usefixtures("judged")
async def test_queues_are_their_tenants_own_and_say_what_is_wrong(alone: Alone) -> None:
    queue = await made(alone.admin)
    place = f"{ALL}/{queue['id']}"
    for client, status in ((alone.stranger, 404), (alone.agent, 403)):
        assert (await client.get(place)).status_code == status
        review = await client.post(f"{place}/items/op-1/review", json={"rating": 4})
        assert review.status_code == status
        assert (await client.post(f"{place}/next")).status_code == status
    assert (await alone.viewer.post(f"{place}/next")).status_code == 403
    assert (await alone.viewer.get(place)).status_code == 200
    assert (await alone.stranger.get(ALL)).json()["items"] == []
    for wrong in ({"reviewers": 0}, {"reviewers": 11}, {"sample": 1_001}, {"strategy": "none"}):
        answer = await alone.admin.post(ALL, json={"name": "x"} | wrong)
        assert answer.status_code == 422, wrong
    assert (await alone.admin.post(f"{place}/sample", json={})).json() == {"added": 0}
    empty = await alone.admin.post(f"{place}/items/op-1/review", json={})
    assert empty.status_code == 422
    assert (await alone.admin.delete(place)).status_code == 204
    assert (await alone.admin.post(f"{place}/next")).status_code == 409


@pytest.mark.usefixtures("judged")
async def test_what_a_reviewer_says_is_kept_without_words_where_none_are_kept(
    alone: Alone,
) -> None:
    queue = await made(alone.admin)
    found = await following(alone.admin, queue, "ann")
    place = f"{ALL}/{queue['id']}/items/{found['operation_id']}/review"
    said = {"rating": 2, "comment": "planted words", "correction": "more of them"}
    await alone.rows("UPDATE tenants SET content_free = true WHERE tenant_id = 'acme'")
    try:
        await alone.admin.post(place, params={"reviewer": "ann"}, json=said)
    finally:
        await alone.rows("UPDATE tenants SET content_free = false WHERE tenant_id = 'acme'")
    kept = await alone.rows("SELECT said FROM review_takes WHERE said IS NOT NULL")
    assert [row["said"] for row in kept] == ['{"rating": 2}']
