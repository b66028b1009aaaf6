"""Methods that a path does not answer."""

import pytest

from tests.unit.gateway.hardness.asked import asking, common


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("OPTIONS", "/ai/ab-tests", "GET, POST"),
        ("DELETE", "/ai/ab-tests", "GET, POST"),
        ("PUT", "/ai/alert-rules/0199f2c4-9d20-7b61-8a31-0c5b7e1f2a40/test", "POST"),
        ("DELETE", "/ai/training-data/datasets", "GET, POST"),
        ("DELETE", "/ai/training-data/export?format=json", "GET"),
        ("PATCH", "/ai/ab-tests/plan", "POST"),
        ("PATCH", "/ai/models/a/b/health-limits", "DELETE, GET, PUT"),
    ],
)
async def test_it_is_a_405_that_names_all_the_others(method: str, path: str, allowed: str) -> None:
    async with asking(common()) as client:
        answer = await client.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
    assert answer.json()["type"] == "/problems/method-not-allowed"


@pytest.mark.parametrize("given", ["0.5", "1764331200", "today", "2026-01-01"])
async def test_a_time_is_written_as_the_document_says(given: str) -> None:
    async with asking(common()) as client:
        answer = await client.get("/ai/operations", params={"to": given})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/to"
