"""How long data is kept, over HTTP: by each tenant for itself."""

from collections.abc import AsyncIterator

import pytest

from shared.privacy.retention import CLASSES
from tests.integration.gateway.callers import Alone

PATH = "/ai/privacy/retention"
DAY_S = 86_400
MONTH = {"operations_s": 30 * DAY_S}
TOLD = "SELECT after FROM audit_log WHERE action = 'retention.put'"


@pytest.fixture(autouse=True)
async def _as_it_was(alone: Alone) -> AsyncIterator[None]:
    await alone.rows("UPDATE retention_start SET not_before = now() - interval '1 day'")
    yield
    await alone.rows("DELETE FROM retention")


async def test_the_database_and_the_code_have_the_same_defaults(alone: Alone) -> None:
    for name, one in CLASSES.items():
        found = await alone.rows("SELECT retention_default($1)", name)
        assert found[0][0] == one.default_days, name


async def test_what_is_put_holds_and_the_rest_is_assays_own(alone: Alone) -> None:
    before = (await alone.admin.get(PATH)).json()
    assert (before["operations_s"], before["minutes_s"]) == (90 * DAY_S, 400 * DAY_S)
    assert (before["held_until"], before["updated_by"]) == (None, None)
    put = await alone.admin.put(PATH, json=MONTH)
    assert put.status_code == 200, put.text
    shown = put.json()
    assert shown == (await alone.admin.get(PATH)).json()
    assert shown["operations_s"] == 30 * DAY_S
    assert {name: shown[name] for name in before if name.endswith("_s")} == {
        **{name: kept for name, kept in before.items() if name.endswith("_s")},
        **MONTH,
    }
    assert shown["held_until"] is not None
    assert shown["updated_by"].startswith("key:")
    # Another body takes its place as a whole.
    shown = (await alone.admin.put(PATH, json={"feedback_s": 365 * DAY_S})).json()
    assert (shown["operations_s"], shown["feedback_s"]) == (90 * DAY_S, 365 * DAY_S)
    rows = await alone.rows("SELECT class, days FROM retention ORDER BY 1")
    assert [tuple(row) for row in rows] == [("feedback", 365), ("operations", 90)]


async def test_what_changes_nothing_is_not_held_and_not_told(alone: Alone) -> None:
    told = len(await alone.rows(TOLD))
    answer = await alone.admin.put(PATH, json={"operations_s": 90 * DAY_S})
    assert answer.json()["held_until"] is None
    assert len(await alone.rows(TOLD)) == told
    await alone.admin.put(PATH, json=MONTH)
    assert len(await alone.rows(TOLD)) == told + 1


async def test_a_wrong_time_is_refused_by_its_name(alone: Alone) -> None:
    for wrong in (DAY_S, 30 * DAY_S + 1, "30"):
        answer = await alone.admin.put(PATH, json={"operations_s": wrong})
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["pointer"] == "/operations_s"
    assert (await alone.admin.put(PATH, json={"audit_s": DAY_S})).status_code == 422
    assert await alone.rows("SELECT * FROM retention") == []


async def test_only_who_may_see_to_privacy_may(alone: Alone) -> None:
    for method in ("GET", "PUT"):
        answer = await alone.viewer.request(method, PATH, json=MONTH if method == "PUT" else None)
        assert answer.status_code == 403
