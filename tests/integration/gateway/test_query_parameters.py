"""A query parameter that a route would not read is refused, and what it reads is named."""

from typing import Any

import pytest

from services.gateway.routes.querying import MOST_ERRORS
from tests.integration.gateway.callers import Alone

SOME_ID = "0190a0a0-0000-7000-8000-000000000000"


async def refused(alone: Alone, path: str) -> list[dict[str, Any]]:
    answer = await alone.admin.get(path)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    errors: list[dict[str, Any]] = answer.json()["errors"]
    assert errors[0]["pointer"][1:] in answer.json()["detail"]
    return errors


async def test_every_route_of_ours_refuses_what_it_does_not_know(alone: Alone) -> None:
    paths = (await alone.admin.get("/openapi.json")).json()["paths"]
    asked = 0
    for path, methods in paths.items():
        place = path.replace("{model_id:path}", "m").replace("{operation_id:path}", "o")
        for name in ("rule_id", "alert_id", "channel_id", "silence_id", "row_id", "dataset_id"):
            place = place.replace(f"{{{name}}}", SOME_ID)
        for method in methods if path.startswith("/ai/") else ():
            answer = await alone.admin.request(method.upper(), f"{place}?nonsense=1")
            assert answer.status_code == 422, (method, path, answer.text)
            (error,) = answer.json()["errors"]
            assert (error["pointer"], error["code"]) == ("/nonsense", "unknown_parameter")
            asked += 1
    assert asked > 30


async def test_a_mistyped_filter_is_told_what_was_meant(alone: Alone) -> None:
    (error,) = await refused(alone, "/ai/alerts?enviroment=production&state=firing")
    assert error["pointer"] == "/enviroment"
    assert "did you mean environment?" in error["message"]
    assert "cursor, environment, from, limit, model_id" in error["message"]
    (error,) = await refused(alone, "/ai/operations?start=2026-01-01T00:00:00Z")
    assert "agent_id" in error["message"]
    (error,) = await refused(alone, "/ai/health-limits?limit=5")
    assert error["message"] == "is not known; nothing can be named here"


async def test_a_parameter_of_which_one_value_would_be_read_is_given_once(alone: Alone) -> None:
    (error,) = await refused(alone, "/ai/alerts?state=firing&state=resolved")
    assert (error["pointer"], error["code"]) == ("/state", "repeated_parameter")


async def test_as_many_wrong_ones_are_named_as_help(alone: Alone) -> None:
    names = [f"{place}{'x' * 100}" for place in range(30)]
    errors = await refused(alone, "/ai/alerts?" + "&".join(f"{name}=1" for name in names))
    assert len(errors) == MOST_ERRORS
    assert all(len(error["pointer"]) < 70 for error in errors)


async def test_who_may_not_ask_is_told_only_that(alone: Alone) -> None:
    assert (await alone.agent.get("/ai/alerts?nonsense=1")).status_code == 403


@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/openapi.json", "/asyncapi.json"])
async def test_what_is_the_same_for_all_takes_any_parameter(alone: Alone, path: str) -> None:
    assert (await alone.admin.get(f"{path}?cache=no")).status_code == 200
