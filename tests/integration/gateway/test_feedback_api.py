"""GET of feedback: everything that was said, how it was read, and nothing of other tenants."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.pseudonym import pseudonym
from tests.integration.gateway.callers import Alone
from tests.integration.gateway.stored import store_feedback, with_days
from tests.integration.gateway.trained import (
    HOSTILE,
    forget_training,
    store_analysis,
    store_training,
)
from tests.support.system import SECRET

NOW = datetime.now(UTC).replace(microsecond=0)
ALL = "/ai/feedback"


@pytest.fixture(autouse=True)
async def clean(alone: Alone) -> None:
    """Partitions of the days used here, and nothing in them."""
    await with_days(alone.rows, *(NOW - timedelta(days=days) for days in range(4)))
    await alone.rows("TRUNCATE user_feedback, feedback_analysis, feedback_operations")
    await forget_training(alone.rows)


async def said(alone: Alone, minutes: float = 0, **columns: Any) -> UUID:
    """A feedback so long ago."""
    event_id, operation_id = uuid4(), columns.pop("operation_id", str(uuid4()))
    at = NOW - timedelta(minutes=minutes)
    await store_feedback(alone.rows, at, operation_id, event_id=event_id, **columns)
    return event_id


async def read(alone: Alone, event_id: UUID, minutes: float = 0, **columns: Any) -> None:
    at = NOW - timedelta(minutes=minutes)
    await store_analysis(alone.rows, at, event_id, "op", **columns)


async def found(alone: Alone, **asked: Any) -> list[str]:
    answer = await alone.viewer.get(ALL, params=asked)
    assert answer.status_code == 200, answer.text
    return [one["event_id"] for one in answer.json()["items"]]


async def test_what_was_said_is_answered_with_how_it_was_read(alone: Alone) -> None:
    event_id = await said(
        alone,
        operation_id="op",
        rating=2,
        helpful=False,
        comment=HOSTILE,
        metadata='{"page": "7"}',
        user_pseudonym="v1.x",
    )
    await read(
        alone,
        event_id,
        label="negative",
        score=-0.5,
        confidence=0.9,
        helpful=False,
        accurate=True,
        from_comment=["accurate"],
        conflict=["fast"],
    )
    await store_training(alone.rows, operation_id="op", quality=0.2)
    await store_training(alone.rows, operation_id="op", kind="correction", quality=0.9)
    (item,) = (await alone.viewer.get(ALL)).json()["items"]
    assert item["comment"] == HOSTILE
    assert (item["rating"], item["helpful"], item["accurate"]) == (2, False, None)
    assert item["metadata"] == {"page": "7"}
    assert item["sentiment"] == {
        "label": "negative",
        "score": -0.5,
        "confidence": 0.9,
        "method": "rating",
        "version": "1",
    }
    assert item["aspects"] == {
        "helpful": False,
        "accurate": True,
        "relevant": None,
        "fast": None,
        "from_comment": ["accurate"],
        "conflict": ["fast"],
    }
    assert (item["quality"], item["superseded"]) == (0.2, False)


async def test_what_was_not_read_yet_says_so(alone: Alone) -> None:
    await said(alone, rating=5)
    (item,) = (await alone.viewer.get(ALL)).json()["items"]
    names = ("sentiment", "aspects", "quality", "superseded", "agent_id")
    assert [item[name] for name in names] == [None] * 5


async def test_the_quality_of_a_withdrawn_row_is_nobodys(alone: Alone) -> None:
    await said(alone, operation_id="op")
    gone: dict[str, Any] = {"input": None, "output": None}
    await store_training(alone.rows, operation_id="op", state="withdrawn", **gone)
    (item,) = (await alone.viewer.get(ALL)).json()["items"]
    assert item["quality"] is None


async def test_each_filter_finds_its_own(alone: Alone) -> None:
    await said(alone, 1, rating=1)
    person = pseudonym(SECRET.encode(), "acme", "u-1")
    one = await said(
        alone,
        2,
        model_id="m-2",
        user_pseudonym=person,
        operation_id="op-2",
        source="reviewer",
        environment="staging",
        operation_type="embedding",
        variant="b",
        rating=4,
        comment="good",
    )
    await read(alone, one, 2, label="positive")
    unsure = await said(alone, 3, comment="")
    await read(alone, unsure, 3)
    await alone.rows(
        "INSERT INTO feedback_operations (tenant_id, operation_id, agent_id) "
        "VALUES ('acme', 'op-2', 'planner'), ('globex', 'op-2', 'other')"
    )
    asked: dict[str, Any] = {
        "model_id": "m-2",
        "agent_id": "planner",
        "user_id": "u-1",
        "operation_id": "op-2",
        "source": "reviewer",
        "label": "positive",
        "environment": "staging",
        "operation_type": "embedding",
        "variant": "b",
        "has_comment": True,
        "rating": 4,
    }
    for name, value in asked.items():
        assert await found(alone, **{name: value}) == [str(one)], name
    assert await found(alone, **asked) == [str(one)]
    assert await found(alone, label="none") == [str(unsure)]
    assert await found(alone, agent_id="other") == []
    assert len(await found(alone, has_comment=False)) == 2
    since = (NOW - timedelta(minutes=2)).isoformat()
    assert str(one) in await found(alone, **{"from": since})
    assert await found(alone, to=since) == [str(unsure)]


async def test_three_pages_hold_each_feedback_once(alone: Alone) -> None:
    ids = [str(await said(alone, number * 700)) for number in range(5)]
    seen: list[str] = []
    cursor: str | None = None
    for size in (2, 2, 1):
        asked = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = (await alone.viewer.get(ALL, params=asked)).json()
        assert len(page["items"]) == size
        seen += [one["event_id"] for one in page["items"]]
        cursor = page["next_cursor"]
    assert (seen, cursor) == (ids, None)


async def test_nobody_sees_what_another_tenants_people_said(alone: Alone) -> None:
    event_id = await said(alone, operation_id="op")
    await store_analysis(alone.rows, NOW, event_id, "op", tenant_id="globex", label="negative")
    await store_training(alone.rows, tenant_id="globex", operation_id="op")
    (item,) = (await alone.viewer.get(ALL)).json()["items"]
    assert (item["sentiment"], item["quality"]) == (None, None)
    assert (await alone.stranger.get(ALL)).json()["items"] == []
    assert (await alone.agent.get(ALL)).status_code == 403


@pytest.mark.parametrize("asked", ["label=bad", "rating=6", "source=x", "from=2026-01-01", "q=1"])
async def test_a_wrong_filter_is_refused(alone: Alone, asked: str) -> None:
    answer = await alone.viewer.get(f"{ALL}?{asked}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == f"/{asked.partition('=')[0]}"
