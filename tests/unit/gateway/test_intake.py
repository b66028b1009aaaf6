"""Events that are taken in, or told all that is wrong with them."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from services.gateway.domain.intake import Outgoing
from services.gateway.domain.problems import Problem
from services.gateway.service.intake import Intake
from shared.mending import MOST_NAMED
from shared.topics import Topic, TopicSpec

NOON = datetime(2027, 1, 15, 12, tzinfo=UTC)
GOOD = {"operation_id": "o", "model_id": "m", "success": True, "response_time_ms": 1}


async def taken(content: Any, kind: Topic = Topic.OPERATIONS) -> dict[str, Any]:
    async def publish(
        _: TopicSpec, __: str, events: Sequence[Outgoing], tenant: str, trace: Mapping[str, str]
    ) -> None:
        assert events

    intake = Intake(publish, "ai.", lambda: NOON, lambda: UUID(int=7))
    return await intake.take(kind, json.dumps(content).encode(), "acme", {})


async def refused(content: Any, kind: Topic = Topic.OPERATIONS) -> Problem:
    with pytest.raises(Problem) as caught:
        await taken(content, kind)
    assert caught.value.status == 422
    return caught.value


def pointers(problem: Problem) -> list[str]:
    return [one["pointer"] for one in problem.errors]


async def test_all_that_is_wrong_with_one_event_is_named() -> None:
    problem = await refused({"operation_id": 7, "success": "yes"})
    assert pointers(problem) == ["/model_id", "/response_time_ms", "/operation_id", "/success"]
    assert {one["index"] for one in problem.errors} == {0}
    assert [one["code"] for one in problem.errors] == ["missing_field"] * 2 + ["invalid_field"] * 2
    assert problem.detail == "model_id: Field required (errors names 3 more)"
    assert pointers(await refused([{"operation_id": 7}])) == [
        *("/model_id", "/success", "/response_time_ms", "/operation_id")
    ]


async def test_a_missing_field_is_told_by_which_name_it_was_probably_meant() -> None:
    (error,) = (
        await refused({**GOOD, "response_time_ms": None, "response_time": 5, "x": 1})
    ).errors
    said = "response_time_ms: Field required; did you mean it by response_time?"
    assert error["message"] == said
    feedback = await refused({"operation_id": "o", "ratings": 5}, Topic.FEEDBACK)
    assert feedback.detail.startswith("needs at least one of rating")


async def test_names_that_no_field_has_are_no_reason_to_refuse() -> None:
    assert (await taken({**GOOD, "modelid": "m"}))["accepted"] == 1


async def test_wrong_metadata_is_named_once_each_and_not_without_end() -> None:
    problem = await refused({**GOOD, "metadata": {"a": [1], "b": {}}, "confidence": 2})
    assert pointers(problem) == ["/confidence", "/metadata/a", "/metadata/b"]
    assert problem.errors[1]["message"] == (
        "metadata.a: Input should be a string, a number or a boolean"
    )
    many = {f"k{place}": [] for place in range(MOST_NAMED + 5)}
    assert len((await refused({**GOOD, "metadata": many})).errors) == MOST_NAMED


async def test_of_many_events_each_bad_one_has_one_line() -> None:
    answer = await taken([GOOD, {"operation_id": 7}, {}])
    assert (answer["accepted"], answer["rejected"]) == (1, 2)
    assert [one["index"] for one in answer["errors"]] == [1, 2]
    problem = await refused([{}, {"operation_id": 7}])
    assert problem.detail.startswith("None of the 2 events can be accepted; the first: ")
    assert len(problem.errors) == 2


@pytest.mark.parametrize("content", [[7], {"operation_id": "o", "event_id": 3}])
async def test_what_is_no_event_at_all_is_told_so(content: Any) -> None:
    assert len((await refused(content)).errors) == 1
