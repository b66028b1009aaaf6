"""Forms that send every field, also those that nobody filled in."""

import pytest

from tests.contract.test_openapi import hidden_routes
from tests.unit.gateway.hardness.asked import asking, gateway

SOME_ID = "0199f2c4-7b1e-7c3a-9a52-5a1c0c9b7e10"
CHOSEN = {"window", "metric", "horizon", "by", "rule", "asked"}
"""These always have a value."""
GIVEN = {
    "/rules/preview": {"rule": '{"name": "n", "operator": ">", "warning": 0.5}'},
    "/experiments/plan": {"asked": '{"metric": "tokens", "sd": 1, "baseline": 9, "min_effect": 1}'},
}
PAGES = [one for one in hidden_routes() if one.openapi_extra.get("x-page")]


@pytest.fixture(scope="module")
def app() -> object:
    return gateway()


@pytest.mark.parametrize("page", PAGES, ids=lambda one: one.path)
async def test_an_empty_field_asks_for_nothing(app: object, page: object) -> None:
    """All stores are away here: whoever gets as far as them was not refused."""
    path = page.path
    for one in page.dependant.path_params:
        path = path.replace("{" + one.alias, "{x").replace("{x:path}", "m").replace("{x}", SOME_ID)
    given = {one.alias for one in page.dependant.query_params} - CHOSEN - {"limit"}
    async with asking(app) as client:
        answer = await client.get(path, params=dict.fromkeys(given, "") | GIVEN.get(path, {}))
    reached = {200, 503} if "metrics" not in path else {503}
    assert answer.status_code in reached, answer.text


LISTS = [one for one in PAGES if "limit" in {it.alias for it in one.dependant.query_params}]


@pytest.mark.parametrize("page", LISTS, ids=lambda one: one.path)
async def test_a_page_is_as_long_as_a_person_reads(app: object, page: object) -> None:
    async with asking(app) as client:
        for limit, is_fine in ((100, True), (101, False), (1000, False)):
            answer = await client.get(page.path, params={"limit": limit})
            assert (answer.status_code != 422) == is_fine, answer.text
