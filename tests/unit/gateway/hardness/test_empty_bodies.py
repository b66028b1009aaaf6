"""Where a body may be left out, the document says so, and nowhere else."""

import re

import pytest

from tests.unit.gateway.hardness.asked import asking, common

ID = "0199f2c4-9d20-7b61-8a31-0c5b7e1f2a40"
JSON = {"Content-Type": "application/json"}


def bodies() -> list[tuple[str, str, bool]]:
    paths = common().openapi()["paths"]
    return [
        (method, path, operation["requestBody"]["required"])
        for path, kinds in paths.items()
        for method, operation in kinds.items()
        if "requestBody" in operation and path.startswith("/ai/")
    ]


@pytest.mark.parametrize(("method", "path", "is_required"), bodies())
async def test_an_empty_body_is_refused_where_one_is_required(
    method: str, path: str, is_required: bool
) -> None:
    async with asking(common()) as client:
        answer = await client.request(method, re.sub(r"\{[^}]*\}", ID, path), headers=JSON)
    assert (answer.status_code == 400) == is_required, answer.text
