"""Whatever is changed is told, by whom and how; and whoever touches what was told is seen."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from deploy.jobs.roles import give_passwords
from services.gateway.app import create_app
from services.gateway.service import freezing, notifying
from services.gateway.settings import GatewaySettings
from tests.contract.test_openapi import document
from tests.integration.audit.kept import kept, verdict
from tests.integration.gateway.audited import EXEMPT, PLANTED, SIGNING, Sent, everything
from tests.integration.gateway.callers import Alone
from tests.integration.gateway.conftest import NOWHERE
from tests.integration.gateway.trained import forget_training, store_training
from tests.support.system import AUDIT, PASSWORD, SECRET, querying

TOLD = "SELECT * FROM audit_log WHERE tenant_id = 'acme' AND request_id = $1"
NO_BROKER = 503
"""A review is kept, then sent on; there is nobody to send it to here."""


@pytest.fixture(scope="module", autouse=True)
def _at_once() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(notifying, "TESTED_WITHIN_S", 0.0)
        patch.setattr(freezing, "WAIT_S", 0.0)
        yield


@pytest.fixture(scope="module")
async def used(alone: Alone) -> list[tuple[Sent, list[Any]]]:
    """Every route that is to be told, and the rows that its one use left."""
    await forget_training(alone.rows)
    rows: list[list[Any]] = []

    async def call(method: str, path: str, content: Any, route: str) -> Any:
        request_id = uuid4().hex
        headers = {"X-Request-Id": request_id}
        answer = await alone.admin.request(method, path, json=content, headers=headers)
        is_review = route.split("?", maxsplit=1)[0].endswith("/review")
        assert answer.is_success or (is_review and answer.status_code == NO_BROKER), answer.text
        rows.append(await alone.rows(TOLD, request_id))
        return answer.json() if answer.content else None

    sent = await everything(alone, call)
    return list(zip(sent, rows, strict=True))


def routes() -> set[str]:
    """All that are no GET, as the OpenAPI document has them."""
    return {
        f"{method.upper()} {path}"
        for path, methods in document()["paths"].items()
        for method in methods
        if method != "get"
    }


async def test_each_route_that_changes_something_leaves_a_row(used: list[Any]) -> None:
    told = {sent.route.split("?")[0] for sent, _ in used}
    assert told | EXEMPT.keys() == routes(), "use it in audited.py, or say why it is exempt"
    assert not told & EXEMPT.keys()
    for sent, rows in used:
        assert [row["action"] for row in rows] == [sent.action], sent.route
        (row,) = rows
        assert row["actor"].startswith("key:")
        assert row["role"] == "admin"
        assert row["object_type"]


async def test_changes_say_what_was_and_what_became_of_it(used: list[Any]) -> None:
    by_action = {sent.action: rows[0] for sent, rows in used}
    replaced = by_action["alert_rule.replace"]
    was, became = json.loads(replaced["before"]), json.loads(replaced["after"])
    assert (was["body"]["warning"], became["body"]["warning"]) == (0.2, 0.3)
    assert json.loads(by_action["alert_rule.delete"]["before"])["body"]["warning"] == 0.3
    started = by_action["ab_test.start"]
    states = [json.loads(started[name])["state"] for name in ("before", "after")]
    assert states == ["draft", "running"]
    assert json.loads(by_action["health_limits.delete"]["before"]) == {"min_sample": 50}
    said = json.loads(by_action["review_item.review"]["after"])
    assert said["rating"] == 2
    assert said["comment"].startswith("hmac:")
    assert said["reviewer"].startswith("v1.")


async def test_no_secret_and_nobodys_words_are_told(
    used: list[Any], alone: Alone, database_dsn: str
) -> None:
    assert used
    rows, _ = await kept(database_dsn, "acme")
    assert PLANTED not in str(rows)
    assert SECRET not in str(rows)
    assert SIGNING not in str(rows)
    stored = await alone.rows("SELECT secret_hash FROM api_keys")
    assert not any(row[0].hex() in str(rows) for row in stored)


async def test_the_chain_is_whole_after_all_of_it(
    used: list[Any], alone: Alone, database_dsn: str
) -> None:
    assert used
    assert (await verdict(database_dsn, "acme")).whole
    answer = await alone.admin.get("/ai/audit/verify")
    found = answer.json()
    assert (found["valid"], found["first_bad"], found["why"]) == (True, None, None)
    assert found["entries"] == found["head"]["seq"] >= len(used)
    assert found["anchors"] == {"enabled": False, "compared": 0, "anchored_at": None}


async def test_what_is_refused_leaves_no_row(alone: Alone) -> None:
    for method, path, content in (
        ("POST", "/ai/alert-rules", {"name": "bad", "metric": "nonsense"}),
        ("DELETE", f"/ai/silences/{uuid4()}", None),
        ("PUT", f"/ai/alert-rules/{uuid4()}", {"name": "x", "operator": ">", "warning": 0.5}),
        ("DELETE", "/ai/health-limits", None),
        ("DELETE", f"/ai/training-data/{uuid4()}", None),
        ("POST", f"/ai/ab-tests/{uuid4()}/start", {}),
    ):
        headers = {"X-Request-Id": uuid4().hex}
        answer = await alone.admin.request(method, path, json=content, headers=headers)
        assert 400 <= answer.status_code < 500, answer.text
        assert await alone.rows(TOLD, headers["X-Request-Id"]) == []


async def test_a_repeat_with_the_same_key_is_told_once(alone: Alone) -> None:
    until = (await alone.rows("SELECT now() + interval '1 hour'"))[0][0]
    silence = {"matchers": {"model_id": "once"}, "ends_at": until.isoformat()}
    headers = {"Idempotency-Key": uuid4().hex, "X-Request-Id": uuid4().hex}
    for _ in range(2):
        answer = await alone.admin.post("/ai/silences", json=silence, headers=headers)
        assert answer.status_code == 201, answer.text
    assert len(await alone.rows(TOLD, headers["X-Request-Id"])) == 1


async def test_who_reads_training_data_is_told(alone: Alone) -> None:
    row_id = await store_training(alone.rows)
    queue = (await alone.admin.post("/ai/review-queues", json={"name": "q"})).json()
    for path, action, identity in (
        ("/ai/training-data/export?model_id=m&shape=kto", "training.export", "*"),
        ("/ai/training-data?kind=answer", "training.read", "*"),
        (f"/ai/training-data/{row_id}", "training.read", str(row_id)),
        (f"/ai/review-queues/{queue['id']}/reviews", "reviews.export", queue["id"]),
    ):
        headers = {"X-Request-Id": uuid4().hex}
        answer = await alone.admin.get(path, headers=headers)
        assert answer.status_code == 200, answer.text
        (row,) = await alone.rows(TOLD, headers["X-Request-Id"])
        assert (row["action"], row["object_id"]) == (action, identity)
    first = {"X-Request-Id": uuid4().hex}
    await alone.viewer.get("/ai/training-data/export", headers=first)
    assert await alone.rows(TOLD, first["X-Request-Id"]) == [], "who may not read did not"


async def test_nobody_reads_what_cannot_be_told(alone: Alone, database_dsn: str) -> None:
    async with querying(database_dsn) as run:
        await run("REVOKE EXECUTE ON FUNCTION audit_lock_head() FROM svc_api")
        try:
            for path in ("/ai/training-data", "/ai/training-data/export"):
                answer = await alone.admin.get(path)
                assert answer.status_code == 500
                assert "items" not in answer.text
        finally:
            await run("GRANT EXECUTE ON FUNCTION audit_lock_head() TO svc_api")


async def test_pages_follow_each_other_newest_first(used: list[Any], alone: Alone) -> None:
    assert used
    everything_ = (await alone.admin.get("/ai/audit", params={"limit": 1000})).json()
    assert everything_["next_cursor"] is None
    numbers = [one["seq"] for one in everything_["items"]]
    assert numbers == list(range(len(numbers), 0, -1))
    seen: list[int] = []
    query: dict[str, Any] = {"limit": 7}
    while query:
        page = (await alone.admin.get("/ai/audit", params=query)).json()
        seen += [one["seq"] for one in page["items"]]
        query = {"limit": 7, "cursor": page["next_cursor"]} if page["next_cursor"] else {}
    assert seen == numbers


async def test_rows_can_be_asked_for(used: list[Any], alone: Alone) -> None:
    (row,) = next(rows for sent, rows in used if sent.action == "silence.create")
    item = {"object": f"silence:{row['object_id']}"}
    found = await asked(alone.admin, **item)
    assert [one["action"] for one in found] == ["silence.delete", "silence.create"]
    assert found[1]["after"]["matchers"] == {"model_id": "m"}
    assert found[1]["hash"] == row["row_hash"].hex()
    assert {one["object"]["type"] for one in await asked(alone.admin, object="ab_test")} == {
        "ab_test"
    }
    by_key = await asked(alone.admin, actor=row["actor"], action="silence.create", **item)
    assert [one["seq"] for one in by_key] == [row["sequence"]]
    assert await asked(alone.admin, actor="key:nobody") == []
    at = row["occurred_at"].isoformat()
    assert await asked(alone.admin, **item, to=at) == []
    assert len(await asked(alone.admin, **item, **{"from": at})) == 2


async def asked(client: httpx2.AsyncClient, **query: Any) -> list[Any]:
    answer = await client.get("/ai/audit", params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def test_a_tenant_sees_its_own_and_others_nothing(used: list[Any], alone: Alone) -> None:
    assert used
    for path in ("/ai/audit", "/ai/audit/verify"):
        assert (await alone.viewer.get(path)).status_code == 403
        assert (await alone.agent.get(path)).status_code == 403
    assert {one["action"] for one in await asked(alone.stranger)} == {"key.create"}
    page = (await alone.admin.get("/ai/audit", params={"limit": 1})).json()
    for cursor in (page["next_cursor"], page["next_cursor"][:-2] + "AA", "x", "é"):
        answer = await alone.stranger.get("/ai/audit", params={"cursor": cursor})
        assert answer.status_code == 422, cursor


async def test_a_tail_that_is_cut_after_it_was_anchored_shows(
    used: list[Any], alone: Alone, database_dsn: str, redis_url: str, tmp_path: Path
) -> None:
    assert used
    path = tmp_path / "anchors.jsonl"
    dsns = await give_passwords(database_dsn, {"gateway": PASSWORD}, AUDIT)
    settings = GatewaySettings(
        kafka_bootstrap_servers=NOWHERE,
        redis_url=redis_url,
        postgres_dsn=dsns["gateway"],
        secret_key=SECRET,
        audit_anchor_file=path,
    )
    app = create_app(settings)
    assert await app.state.anchoring.anchor() == 2 + 1  # both tenants, and the installation
    assert await app.state.anchoring.anchor() == 0
    whole = await app.state.auditing.verify("acme")
    assert whole["valid"]
    assert whole["anchors"]["compared"] == 1
    assert whole["anchors"]["anchored_at"]
    cut = """
        WITH gone AS (DELETE FROM audit_log WHERE tenant_id = 'acme' AND sequence > $1),
             last AS (SELECT * FROM audit_log WHERE tenant_id = 'acme' AND sequence = $1)
        UPDATE audit_heads SET sequence = last.sequence, row_hash = last.row_hash FROM last
         WHERE audit_heads.tenant_id = 'acme'
    """
    await alone.rows("CREATE TABLE kept_log AS SELECT * FROM audit_log")
    await alone.rows("CREATE TABLE kept_heads AS SELECT * FROM audit_heads")
    try:
        await alone.rows(cut, whole["entries"] - 3)
        without = (await alone.admin.get("/ai/audit/verify")).json()
        assert without["valid"], "the head was moved too; only an anchor knows"
        found = await app.state.auditing.verify("acme")
        assert (found["valid"], found["first_bad"]) == (False, whole["entries"] - 2)
        assert "cut" in found["why"]
    finally:
        await alone.rows("DELETE FROM audit_log")
        await alone.rows("DELETE FROM audit_heads")
        await alone.rows("INSERT INTO audit_log SELECT * FROM kept_log")
        await alone.rows("INSERT INTO audit_heads SELECT * FROM kept_heads")
        await alone.rows("DROP TABLE kept_log, kept_heads")
