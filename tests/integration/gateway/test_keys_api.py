"""API keys over HTTP and by the command line: made, shown once, rotated, revoked."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx2
import pytest

from deploy.jobs.keys import create_key
from services.gateway.app import create_app
from services.gateway.domain.permissions import ROLES
from services.gateway.service.remembered import FRESH_S
from services.gateway.settings import GatewaySettings
from tests.integration.gateway.callers import Alone
from tests.support.system import AUDIT, SECRET
from tests.support.waiting import eventually

KEYS = "/ai/api-keys"


def by(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def made(alone: Alone, **body: Any) -> dict[str, Any]:
    answer = await alone.admin.post(KEYS, json={"name": "k"} | body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_key_is_shown_once_and_its_hash_never(alone: Alone) -> None:
    key = await made(alone, role="viewer", name="dashboard")
    assert key["key"].startswith(key["prefix"] + "_")
    assert key["permissions"] == sorted(ROLES["viewer"])
    assert key["created_by"].startswith("key:")
    shown = (await alone.admin.get(f"{KEYS}/{key['id']}")).json()
    listed = (await alone.admin.get(KEYS)).json()["items"]
    assert shown in listed
    assert shown == {name: value for name, value in key.items() if name != "key"}
    everything = json.dumps([shown, listed])
    [(digest,)] = await alone.rows("SELECT secret_hash FROM api_keys WHERE id = $1", key["id"])
    assert key["key"].rpartition("_")[2] not in everything
    assert digest.hex() not in everything
    assert (await alone.admin.get("/ai/models", headers=by(key["key"]))).status_code == 200


async def test_pages_follow_each_other(alone: Alone) -> None:
    for number in range(3):
        await made(alone, role="agent", name=f"page-{number}")
    names, cursor = [], None
    while len(names) < 3:
        asked = {"limit": 1} | ({"cursor": cursor} if cursor else {})
        page = (await alone.admin.get(KEYS, params=asked)).json()
        names += [one["name"] for one in page["items"]]
        cursor = page["next_cursor"]
    assert names == ["page-2", "page-1", "page-0"]


async def test_a_repeat_of_the_same_request_makes_no_second_key_and_shows_none(
    alone: Alone,
) -> None:
    again = {"Idempotency-Key": "once"}
    body = {"name": "k", "role": "agent"}
    first = (await alone.admin.post(KEYS, json=body, headers=again)).json()
    second = (await alone.admin.post(KEYS, json=body, headers=again)).json()
    assert (second["id"], second["key"]) == (first["id"], None)
    kept = [await alone.redis.get(name) for name in await alone.redis.keys("idempotency:*")]
    secret = first["key"].rpartition("_")[2].encode()
    assert kept
    assert not any(secret in one for one in kept)


async def test_a_key_gives_no_more_than_its_maker_has(alone: Alone) -> None:
    own = ["keys:admin", "metrics:read"]
    small = await made(alone, permissions=own)
    ask = by(small["key"])
    for wanted in ({"role": "viewer"}, {"permissions": ["metrics:read", "alerts:read"]}):
        refused = await alone.admin.post(KEYS, json={"name": "k"} | wanted, headers=ask)
        assert refused.status_code == 403
        assert "alerts:read" in refused.json()["detail"]
    fits = await alone.admin.post(KEYS, json={"name": "k", "permissions": own}, headers=ask)
    assert fits.status_code == 201
    # Nor by taking over a key that has more: rotation hands out its successor.
    large = await made(alone, role="admin")
    taken = await alone.admin.post(f"{KEYS}/{large['id']}/rotate", json={}, headers=ask)
    assert taken.status_code == 403
    assert (await alone.admin.get(KEYS, headers=by(large["key"]))).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"role": "root"},
        {"permissions": ["everything"]},
        {"role": "agent", "permissions": ["metrics:read"]},
        {},
        {"role": "agent", "expires_at": "2020-01-01T00:00:00Z"},
    ],
)
async def test_what_makes_no_sense_is_named(alone: Alone, body: dict[str, Any]) -> None:
    answer = await alone.admin.post(KEYS, json={"name": "k"} | body)
    assert answer.status_code == 422
    assert answer.json()["errors"]


async def test_a_key_that_expires_is_good_until_then(alone: Alone) -> None:
    key = await made(alone, role="viewer", expires_at=f"{datetime.now(UTC) + timedelta(hours=1)}")
    assert (await alone.admin.get("/ai/models", headers=by(key["key"]))).status_code == 200
    await alone.rows("UPDATE api_keys SET expires_at = now() WHERE id = $1", key["id"])
    fresh = await made(alone, role="viewer")
    await alone.rows("UPDATE api_keys SET expires_at = now() WHERE id = $1", fresh["id"])
    assert (await alone.admin.get("/ai/models", headers=by(fresh["key"]))).status_code == 401
    shown = (await alone.admin.get(f"{KEYS}/{fresh['id']}")).json()
    assert shown["state"] == "expired"


async def test_rotation_lets_the_old_key_go_on_for_the_overlap(alone: Alone) -> None:
    old = await made(alone, role="agent", name="worker")
    url = f"{KEYS}/{old['id']}/rotate"
    answer = await alone.admin.post(url, json={"overlap_s": 3600})
    new = answer.json()
    assert answer.status_code == 201
    assert (new["name"], new["role"], new["expires_at"]) == ("worker", "agent", None)
    for key in (old, new):
        asked = await alone.admin.get("/ai/assignable-tests", headers=by(key["key"]))
        assert asked.status_code in {200, 503}  # the copy of tests may not be there yet
    shown = (await alone.admin.get(f"{KEYS}/{old['id']}")).json()
    left = datetime.fromisoformat(shown["expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=59) < left <= timedelta(hours=1)
    assert shown["replaced_by"] == new["id"]
    again = await alone.admin.post(url, json={})
    assert (again.status_code, new["id"] in again.text) == (409, True)


async def test_rotation_without_overlap_ends_the_old_key_here_at_once(alone: Alone) -> None:
    old = await made(alone, role="viewer")
    assert (await alone.admin.get("/ai/models", headers=by(old["key"]))).status_code == 200
    await alone.admin.post(f"{KEYS}/{old['id']}/rotate", json={"overlap_s": 0})
    assert (await alone.admin.get("/ai/models", headers=by(old["key"]))).status_code == 401


async def test_an_ended_key_is_not_brought_back_by_rotation(alone: Alone) -> None:
    old = await made(alone, role="viewer")
    await alone.admin.delete(f"{KEYS}/{old['id']}")
    answer = await alone.admin.post(f"{KEYS}/{old['id']}/rotate", json={})
    assert (answer.status_code, "revoked" in answer.json()["detail"]) == (409, True)


async def test_a_revoked_key_ends_here_at_once_and_in_every_other_gateway_within_a_minute(
    alone: Alone,
) -> None:
    key = await made(alone, role="viewer")
    gateways = (alone.admin, alone.viewer, alone.without_redis)  # each has its own memory of keys
    for gateway in gateways:
        assert (await gateway.get(KEYS, headers=by(key["key"]))).status_code == 403
    revoked = await alone.admin.delete(f"{KEYS}/{key['id']}")
    assert revoked.status_code == 204
    assert (await alone.admin.get(KEYS, headers=by(key["key"]))).status_code == 401
    for gateway in gateways[1:]:

        async def refused(gateway: httpx2.AsyncClient = gateway) -> bool:
            return (await gateway.get(KEYS, headers=by(key["key"]))).status_code == 401

        assert FRESH_S < 60
        await eventually(refused, deadline_s=60, why="the revoked key is refused")
    assert (await alone.admin.delete(f"{KEYS}/{key['id']}")).status_code == 204


async def test_the_last_key_that_manages_keys_does_not_revoke_itself(
    alone: Alone, database_dsn: str
) -> None:
    keys = [
        await create_key(database_dsn, tenant="alone", role="admin", name=name, audit=AUDIT)
        for name in ("first", "second")
    ]
    listed = (await alone.admin.get(KEYS, headers=by(keys[0].key))).json()["items"]
    ids = {one["name"]: one["id"] for one in listed}
    # Each revokes the other's key at the same time: one of them stays.
    answers = await asyncio.gather(
        alone.admin.delete(f"{KEYS}/{ids['second']}", headers=by(keys[0].key)),
        alone.viewer.delete(f"{KEYS}/{ids['first']}", headers=by(keys[1].key)),
    )
    assert sorted(one.status_code for one in answers) == [204, 409]
    place = 0 if answers[0].status_code == 204 else 1
    own = ids[("first", "second")[place]]
    refused = await alone.admin.delete(f"{KEYS}/{own}", headers=by(keys[place].key))
    assert refused.status_code == 409
    assert "role admin first" in refused.json()["detail"]
    # The remedy works.
    rotated = await alone.admin.post(f"{KEYS}/{own}/rotate", json={}, headers=by(keys[place].key))
    done = await alone.admin.delete(f"{KEYS}/{own}", headers=by(rotated.json()["key"]))
    assert done.status_code == 204


async def test_a_key_in_its_overlap_is_nobody_to_leave_the_tenant_to(
    alone: Alone, database_dsn: str
) -> None:
    named = {"tenant": "overlap", "role": "admin", "name": "old"}
    old = by((await create_key(database_dsn, **named, audit=AUDIT)).key)
    [listed] = (await alone.admin.get(KEYS, headers=old)).json()["items"]
    new = (await alone.admin.post(f"{KEYS}/{listed['id']}/rotate", json={}, headers=old)).json()
    refused = await alone.admin.delete(f"{KEYS}/{new['id']}", headers=old)
    assert refused.status_code == 409, refused.text
    done = await alone.admin.delete(f"{KEYS}/{listed['id']}", headers=by(new["key"]))
    assert done.status_code == 204


async def test_a_key_manages_keys_by_what_its_role_permits_today(
    alone: Alone, database_dsn: str
) -> None:
    named = {"tenant": "upgraded", "role": "admin", "name": "of an earlier version"}
    key = by((await create_key(database_dsn, **named, audit=AUDIT)).key)
    await alone.rows("UPDATE api_keys SET permissions = '{}' WHERE tenant_id = 'upgraded'")
    [listed] = (await alone.admin.get(KEYS, headers=key)).json()["items"]
    refused = await alone.admin.delete(f"{KEYS}/{listed['id']}", headers=key)
    assert refused.status_code == 409, refused.text


async def test_logging_out_while_redis_is_away_takes_the_cookie_of_that_browser(
    alone: Alone,
) -> None:
    browser = alone.without_redis
    key = alone.admin.headers["Authorization"].removeprefix("Bearer ")
    assert (await browser.post("/auth/session", json={"key": key})).status_code == 201
    assert "assay-session" in browser.cookies
    done = await browser.delete("/auth/session", headers={"X-Assay-CSRF": "1"})
    assert done.status_code == 204, done.text
    assert "assay-session" not in browser.cookies


async def test_a_foreign_key_is_not_there(alone: Alone) -> None:
    key = await made(alone, role="viewer", name="only acme's")
    for asked in (
        alone.stranger.get(f"{KEYS}/{key['id']}"),
        alone.stranger.delete(f"{KEYS}/{key['id']}"),
        alone.stranger.post(f"{KEYS}/{key['id']}/rotate", json={}),
    ):
        assert (await asked).status_code == 404
    assert "only acme's" not in (await alone.stranger.get(KEYS)).text
    assert (await alone.admin.get(f"{KEYS}/{key['id']}")).json()["state"] == "active"


async def test_when_a_key_was_used_is_kept_to_five_minutes(alone: Alone, gateway_app: Any) -> None:
    key = await made(alone, role="viewer")
    app, client = gateway_app
    assert (await alone.admin.get(f"{KEYS}/{key['id']}")).json()["last_used_at"] is None

    async def used() -> str:
        await client.get("/ai/models", headers=by(key["key"]))
        await app.state.admission.uses.write()
        shown = await alone.admin.get(f"{KEYS}/{key['id']}")
        return str(shown.json()["last_used_at"])

    first = await used()
    assert datetime.now(UTC) - datetime.fromisoformat(first) < timedelta(minutes=1)
    assert await used() == first
    older = datetime.now(UTC) - timedelta(minutes=6)
    await alone.rows("UPDATE api_keys SET last_used_at = $2 WHERE id = $1", key["id"], older)
    assert await used() > first


@pytest.fixture(scope="module")
async def gateway_app(alone: Alone, database_dsn: str, redis_url: str) -> AsyncIterator[Any]:
    """One more gateway, whose parts can be reached."""
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(_gateway(alone, database_dsn, redis_url))


@asynccontextmanager
async def _gateway(alone: Alone, dsn: str, redis_url: str) -> AsyncIterator[Any]:
    del alone
    as_gateway = dsn.replace(dsn.split("//")[1].split("@", maxsplit=1)[0], "svc_api:only-for-tests")
    settings = GatewaySettings(
        kafka_bootstrap_servers="127.0.0.1:1",
        redis_url=redis_url,
        postgres_dsn=as_gateway,
        secret_key=SECRET,
    )
    app = create_app(settings)
    transport = httpx2.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client,
    ):
        yield app, client


async def test_the_gateways_role_reads_no_hash_and_gives_nobody_a_tenant(
    alone: Alone, database_dsn: str
) -> None:
    del alone
    connection = await asyncpg.connect(database_dsn)
    try:
        for statement in (
            "SELECT secret_hash FROM api_keys",
            "UPDATE api_keys SET permissions = '{keys:admin}'",
            "UPDATE api_keys SET secret_hash = decode(repeat('00', 32), 'hex')",
            "UPDATE api_keys SET tenant_id = 'globex'",
            "DELETE FROM api_keys",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(f"SET LOCAL ROLE svc_api; {statement}")
    finally:
        await connection.close()


async def test_the_command_line_lists_rotates_and_revokes(
    alone: Alone, database_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_POSTGRES_DSN", database_dsn)
    monkeypatch.setenv("ASSAY_SECRET_KEY", SECRET)

    async def ran(*words: str) -> Any:
        command = [sys.executable, "-m", "deploy.cli", "keys", *words]
        return await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True)

    async def told(*words: str) -> Any:
        done = await ran(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    only = await told("create", "--role", "admin", "--tenant", "by-hand")
    [listed] = await told("list", "--tenant", "by-hand")
    assert (listed["tenant_id"], listed["state"]) == ("by-hand", "active")
    assert only["key"] not in json.dumps(listed)
    refused = await ran("revoke", listed["prefix"])
    assert (refused.returncode, "--force" in refused.stderr) == (1, True)
    new = await told("rotate", only["key"], "--overlap-s", "0")
    assert (await alone.stranger.get(KEYS, headers=by(new["key"]))).status_code == 200
    assert (await alone.stranger.get(KEYS, headers=by(only["key"]))).status_code == 401
    assert (await told("revoke", new["id"], "--force"))["state"] == "revoked"
    assert [one["state"] for one in await told("list", "--tenant", "by-hand")] == [
        "revoked",
        "expired",
    ]
    log = await alone.rows("SELECT * FROM audit_log WHERE tenant_id = 'by-hand' ORDER BY sequence")
    assert [one["action"] for one in log] == ["key.create", "key.rotate", "key.revoke"]
    assert all(one["actor"].startswith("cli:") for one in log)
    secrets = [one["key"].rpartition("_")[2] for one in (only, new)]
    assert not any(secret in str(log) for secret in secrets)
    unknown = await ran("revoke", "assay_zzzzzzzzzzzz")
    assert (unknown.returncode, "no such key" in unknown.stderr) == (1, True)
