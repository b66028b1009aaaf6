"""What reviewers say of operations that they took, from the queue to training rows."""

import csv
import io
import json
from typing import Any

from tests.integration.gateway.callers import Clients, fields
from tests.integration.gateway.test_reviews_api import ALL, following, made
from tests.support.waiting import eventually


async def test_reviews_become_feedback_of_experts_and_are_compared(clients: Clients) -> None:
    numbers = range(50_000, 50_012)
    texts = {"model_id": "reviewed", "input_text": "What?", "output_text": "That."}
    events = [fields(number, **texts) for number in numbers]
    assert (await clients.agent.post("/ai/operations/log", json=events)).status_code == 202

    async def drawn() -> dict[str, Any] | None:
        asked = {"strategy": "random", "filters": {"model_id": "reviewed"}}
        queue = await made(clients.admin, **asked)
        return queue if queue["items"] == len(numbers) else None

    queue = await eventually(drawn, why="all are drawn", every_s=1)
    place = f"{ALL}/{queue['id']}"
    for who, stars in (("ann", 5), ("bob", 4)):
        for turn in range(len(numbers)):
            found = await following(clients.admin, queue, who)
            assert (found["input"], found["output"]) == ("What?", "That.")
            said = {
                "rating": stars if turn % 2 else 1,
                "comment": "=1+1",
                "helpful": bool(turn % 2),
            }
            path = f"{place}/items/{found['operation_id']}/review"
            answers = [
                await clients.admin.post(path, params={"reviewer": who}, json=said)
                for _ in range(2)
            ]
            assert [one.status_code for one in answers] == [202, 202], answers[0].text
            assert answers[0].json()["event_ids"] == answers[1].json()["event_ids"]
            other = await clients.admin.post(path, params={"reviewer": who}, json={"rating": 2})
            assert other.status_code == 409
        assert (await following(clients.admin, queue, who))["operation_id"] is None
    whole = (await clients.viewer.get(place)).json()
    assert (whole["items"], whole["complete"], whole["reviews"]) == (12, 12, 24)
    agreement = whole["agreement"]
    assert agreement["helpful"]["value"] is not None
    assert agreement["helpful"]["low"] <= agreement["helpful"]["value"]
    assert agreement["rating"]["items"] == 12
    assert agreement["fast"]["value"] is None
    assert "are needed" in agreement["fast"]["reason"]
    lines = (await clients.viewer.get(f"{place}/reviews")).text.splitlines()
    assert len(lines) == 24
    assert json.loads(lines[0])["comment"] == "=1+1"
    table = await clients.viewer.get(f"{place}/reviews", params={"format": "csv"})
    rows = list(csv.DictReader(io.StringIO(table.text, newline="")))
    assert {row["comment"] for row in rows} == {"'=1+1"}

    async def weighed() -> list[Any] | None:
        asked = {"model_id": "reviewed", "limit": 100}
        found = (await clients.viewer.get("/ai/training-data", params=asked)).json()["items"]
        told = [row for row in found if any("by 2 reviewers" in one for one in row["reasons"])]
        alone = [row for row in found if any("by 1 reviewer " in one for one in row["reasons"])]
        return found if len(told) + len(alone) == len(numbers) else None

    assert await eventually(weighed, why="rows know their reviewers")
