"""Tokens and logins of an identity provider, before a gateway on real stores."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from deploy.jobs.keys import create_key
from services.gateway.app import create_app
from services.gateway.routes.cookies import FORGERY_HEADER
from services.gateway.service import token_keys
from services.gateway.settings import GatewaySettings
from tests.integration.gateway.planted import FAR
from tests.support.oidc_stub import (
    AUDIENCE,
    CLIENT,
    CLIENT_SECRET,
    Stub,
    callback,
    oidc_stub,
)
from tests.support.system import AUDIT, SECRET, prepared

WRITES = {FORGERY_HEADER: "1"}
RULES, ME = "/ai/alert-rules", "/auth/session"
HTTPS = "https://assay.example"


class World(NamedTuple):
    """A provider, and browsers at two gateways: by http, and behind something that does https."""

    stub: Stub
    http: httpx2.AsyncClient
    https: httpx2.AsyncClient
    key: str
    app: Any


@pytest.fixture(scope="module")
async def world(database_dsn: str, redis_url: str) -> AsyncIterator[World]:
    dsns = await prepared(database_dsn)
    key = await create_key(database_dsn, tenant="acme", role="operator", name="test", audit=AUDIT)
    async with oidc_stub() as stub:
        settings: dict[str, Any] = {
            "kafka_bootstrap_servers": "127.0.0.1:1",
            "redis_url": redis_url,
            "postgres_dsn": dsns["gateway"],
            "secret_key": SECRET,
            "oidc_issuer": stub.issuer,
            "oidc_audience": AUDIENCE,
            "oidc_client_id": CLIENT,
            "oidc_client_secret": CLIENT_SECRET,
        }
        async with (
            _browser(settings, "http://gateway") as (app, http),
            _browser(settings | {"public_url": HTTPS}, HTTPS) as (_, https),
        ):
            yield World(stub, http, https, key.key, app)


@asynccontextmanager
async def _browser(settings: dict[str, Any], url: str) -> AsyncIterator[Any]:
    app = create_app(GatewaySettings(**settings))
    transport = httpx2.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url=url) as client,
    ):
        yield app, client


@pytest.fixture(autouse=True)
def forgotten(world: World) -> None:
    """Each test begins with a browser that knows nothing."""
    for browser in (world.http, world.https):
        browser.cookies.clear()
    world.stub.away = False


async def asked(world: World, token: str, path: str = RULES) -> httpx2.Response:
    return await world.http.get(path, headers={"Authorization": f"Bearer {token}"})


async def test_a_token_is_taken_and_its_role_decides(world: World) -> None:
    assert (await asked(world, world.stub.token())).status_code == 200
    for roles in (["agent"], ["root"], None):
        refused = await asked(world, world.stub.token(roles=roles))
        assert refused.status_code == 403
    operator = {"Authorization": f"Bearer {world.stub.token(roles=['operator'])}"}
    silence = {"matchers": {"a": "b"}, "ends_at": FAR, "comment": "c"}
    made = await world.http.post("/ai/silences", json=silence, headers=operator)
    assert (made.status_code, made.json()["created_by"]) == (201, "user:ada")


async def test_a_token_names_a_tenant_that_exists(world: World) -> None:
    for tenant in ("initech", "x' OR true --", "ACME", "", None):
        refused = await asked(world, world.stub.token(tenant=tenant))
        assert refused.status_code == 401
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.headers["www-authenticate"].startswith("Bearer")


async def test_a_token_for_the_dashboard_is_none_for_the_api(world: World) -> None:
    assert (await asked(world, world.stub.token(aud=CLIENT))).status_code == 401


async def test_a_huge_token_is_refused(world: World) -> None:
    assert (await asked(world, world.stub.token(padding="x" * 8_000))).status_code == 401
    assert (await asked(world, world.stub.token(padding="x" * 20_000))).status_code == 431


async def test_keys_rotate_and_go_on_while_the_provider_is_away(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_keys, "AT_MOST_EVERY_S", 0)
    old = world.stub.token()
    assert (await asked(world, old)).status_code == 200
    world.stub.rotate("two")
    new = world.stub.token()
    assert (await asked(world, new)).status_code == 200
    assert (await asked(world, old)).status_code == 401
    world.stub.away = True
    monkeypatch.setattr(token_keys, "FRESH_S", 0)
    assert (await asked(world, new)).status_code == 200
    world.stub.rotate("three")
    waits = await asked(world, world.stub.token())
    assert (waits.status_code, waits.json()["dependency"]) == (503, "oidc")
    assert waits.headers["retry-after"]
    world.stub.away = False
    monkeypatch.setattr(token_keys, "AWAY_EVERY_S", 0)
    assert (await asked(world, world.stub.token())).status_code == 200


# ── Sessions by key ─────────────────────────────────────────────────────────────────────────────


async def logged_in(world: World, browser: httpx2.AsyncClient) -> httpx2.Response:
    answer = await browser.post(ME, json={"key": world.key})
    assert answer.status_code == 201, answer.text
    return answer


async def test_a_login_by_key_gives_a_cookie_that_no_script_reads(world: World) -> None:
    plain = (await logged_in(world, world.http)).headers["set-cookie"]
    assert plain.startswith("assay-session=")
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(plain.split("; "))
    assert "Secure" not in plain
    assert world.key.rpartition("_")[2] not in plain
    safe = (await logged_in(world, world.https)).headers["set-cookie"]
    assert safe.startswith("__Host-assay-session=")
    assert {"HttpOnly", "Path=/", "SameSite=lax", "Secure"} <= set(safe.split("; "))
    assert "Domain" not in safe
    me = (await world.http.get(ME)).json()
    assert me["tenant"] == "acme"
    assert "alerts:write" in me["permissions"]
    assert (await world.http.get(RULES)).status_code == 200
    assert (await world.http.get("/ai/api-keys")).status_code == 403


async def test_a_wrong_key_gives_none(world: World) -> None:
    for key in ("", "x", world.key[:-1] + ("A" if world.key[-1] != "A" else "B")):
        answer = await world.http.post(ME, json={"key": key})
        assert answer.status_code == 401
        assert "set-cookie" not in answer.headers


async def test_what_changes_something_needs_a_header_that_only_our_pages_send(
    world: World,
) -> None:
    await logged_in(world, world.http)
    path = "/ai/silences/00000000-0000-0000-0000-000000000000"
    forged = await world.http.delete(path)
    assert (forged.status_code, FORGERY_HEADER in forged.json()["detail"]) == (403, True)
    for foreign in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        assert (await world.http.delete(path, headers=WRITES | foreign)).status_code == 403
    own = {"Origin": "http://gateway", "Sec-Fetch-Site": "same-origin"}
    assert (await world.http.delete(path, headers=WRITES | own)).status_code == 404
    # With a credential of its own, a request is nobody's forgery.
    by_key = {"Authorization": f"Bearer {world.key}"}
    assert (await world.http.delete(path, headers=by_key)).status_code == 404


async def test_nobody_is_logged_in_by_another_site(world: World) -> None:
    body = {"key": world.key}
    form = await world.http.post(ME, data=body)
    assert form.status_code == 415
    text = await world.http.post(
        ME, content='{"key": "' + world.key + '"}', headers={"Content-Type": "text/plain"}
    )
    assert text.status_code == 415
    foreign = await world.http.post(ME, json=body, headers={"Origin": "https://evil.example"})
    assert foreign.status_code == 403


async def test_after_logout_the_cookie_is_worth_nothing_anywhere(world: World) -> None:
    await logged_in(world, world.http)
    kept = dict(world.http.cookies)
    assert (await world.http.delete(ME)).status_code == 403
    gone = await world.http.delete(ME, headers=WRITES)
    assert (gone.status_code, "Max-Age=0" in gone.headers["set-cookie"]) == (204, True)
    world.http.cookies.clear()
    world.http.cookies.update(kept)
    assert (await world.http.get(RULES)).status_code == 401
    assert (await world.http.delete(ME, headers=WRITES)).status_code == 204


async def test_a_changed_cookie_or_one_for_another_purpose_is_none(world: World) -> None:
    await logged_in(world, world.http)
    [(name, good)] = world.http.cookies.items()
    head, body, signature = good.split(".")
    begun = world.app.state.logins.begin({"sid": "1", "tenant": "acme", "key": "", "user": "ada"})
    for bad in (f"{head}.{body}.{signature[::-1]}", f"{head}.{body}.", begun, "x", "x" * 5000):
        world.http.cookies.clear()
        world.http.cookies.set(name, bad)
        assert (await world.http.get(RULES)).status_code == 401
    # Nor is a session a bearer token.
    assert (await asked(world, good)).status_code == 401


async def test_a_session_ends_with_its_key(world: World, database_dsn: str) -> None:
    key = await create_key(database_dsn, tenant="acme", role="admin", name="short", audit=AUDIT)
    await world.http.post(ME, json={"key": key.key})
    listed = (await world.http.get("/ai/api-keys")).json()["items"]
    [mine] = [one["id"] for one in listed if one["name"] == "short"]
    spare = await create_key(database_dsn, tenant="acme", role="admin", name="spare", audit=AUDIT)
    assert spare.key
    gone = await world.http.delete(f"/ai/api-keys/{mine}", headers=WRITES)
    assert gone.status_code == 204
    assert (await world.http.get(RULES)).status_code == 401


# ── Logins at the provider ──────────────────────────────────────────────────────────────────────


async def begun(browser: httpx2.AsyncClient, following: str = "/ai/models") -> str:
    answer = await browser.get("/auth/login", params={"next": following})
    assert answer.status_code == 302
    return answer.headers["location"]


async def test_a_login_at_the_provider_leads_back_with_a_session(world: World) -> None:
    url = await begun(world.https)
    query = parse_qs(urlsplit(url).query)
    assert query["redirect_uri"] == [f"{HTTPS}/auth/callback"]
    assert query["code_challenge_method"] == ["S256"]
    assert len(query["state"][0]) >= 43
    assert query["nonce"] != query["state"]
    given = world.stub.approve(url, roles=["operator"])
    back = await world.https.get(callback(given))
    assert (back.status_code, back.headers["location"]) == (303, "/ai/models")
    assert "__Host-assay-session=" in back.headers["set-cookie"]
    me = (await world.https.get(ME)).json()
    assert (me["tenant"], me["actor"]) == ("acme", "user:ada")
    assert (await world.https.get(RULES)).status_code == 200
    # A code, and a login that was begun, are good once.
    assert (await world.https.get(callback(given))).status_code == 401


@pytest.mark.parametrize(
    ("changed", "claims"),
    [
        pytest.param({"state": "x"}, {}, id="another state"),
        pytest.param({"state": ""}, {}, id="no state"),
        pytest.param({"code": "x"}, {}, id="another code"),
        pytest.param({"iss": "https://evil.example"}, {}, id="another provider"),
        pytest.param({"error": "access_denied"}, {}, id="refused there"),
        pytest.param({}, {"nonce": "x"}, id="another nonce"),
        pytest.param({}, {"nonce": None}, id="no nonce"),
        pytest.param({}, {"aud": AUDIENCE}, id="a token for the API"),
        pytest.param({}, {"aud": [CLIENT, "other"], "azp": "other"}, id="for another client"),
        pytest.param({}, {"aud": [CLIENT, "other"]}, id="for several, and it says not which"),
        pytest.param({}, {"exp": 1_700_000_000}, id="expired"),
        pytest.param({}, {"tenant": "initech"}, id="an unknown tenant"),
    ],
)
async def test_a_login_that_does_not_fit_what_was_begun_gives_no_session(
    world: World, changed: dict[str, str], claims: dict[str, Any]
) -> None:
    given = world.stub.approve(await begun(world.http), **claims) | changed
    answer = await world.http.get(callback(given))
    assert answer.status_code == 401
    assert "assay-session" not in answer.headers.get("set-cookie", "")


async def test_a_login_begun_in_another_browser_gives_no_session(world: World) -> None:
    given = world.stub.approve(await begun(world.http))
    world.http.cookies.clear()
    assert (await world.http.get(callback(given))).status_code == 401


@pytest.mark.parametrize(
    "following",
    ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/\t/e.x"],
)
async def test_a_login_leads_on_to_pages_of_ours_only(world: World, following: str) -> None:
    given = world.stub.approve(await begun(world.http, following))
    back = await world.http.get(callback(given))
    assert (back.status_code, back.headers["location"]) == (303, "/")


async def test_a_provider_that_is_away_is_said_to_be(world: World) -> None:
    url = await begun(world.http)
    given = world.stub.approve(url)
    world.stub.away = True
    answer = await world.http.get(callback(given))
    assert (answer.status_code, answer.json()["dependency"]) == (503, "oidc")
