"""Every endpoint, every kind of caller, own and foreign objects: the right status and no leak.

Generated from the OpenAPI document and the table of pages: a new route is in it by being there.
An endpoint whose object nobody can make here, or whose body is not said in `matrix.py`, fails.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import quote
from uuid import uuid4
from zipfile import ZipFile

import httpx2
import pytest

from deploy.jobs.keys import create_key
from services.gateway.domain.permissions import ROLES
from tests.integration.gateway import matrix
from tests.integration.gateway.callers import Clients
from tests.integration.gateway.matrix import Endpoint
from tests.integration.gateway.planted import KEPT, Tenant
from tests.support.system import AUDIT, querying

ENDPOINTS = matrix.endpoints()
BY_NAME = {one.name: one for one in ENDPOINTS}
UNKNOWN = ("nobody", "expired", "revoked")
REPEATING = ("/ai/audit", "/audit")
"""They tell a tenant what its own callers asked for, also where that is not there."""


@dataclass
class World:
    """Two tenants, callers by kind, and how everything was at the beginning."""

    own: Tenant
    foreign: Tenant
    callers: dict[str, httpx2.AsyncClient]
    before: dict[str, dict[str, str]]
    said: str = ""
    """All that was sent until now: a tenant's audit log may repeat what its own callers said."""

    async def send(
        self, endpoint: Endpoint, caller: str, ids: dict[str, str], query: dict[str, str]
    ) -> httpx2.Response:
        path = endpoint.path
        for name in endpoint.parameters:
            path = path.replace(f"{{{name}}}", quote(ids[name], safe=""))
        sent: dict[str, Any] = {}
        if endpoint.needs_body:
            sent["json"] = matrix.bodies(ids, f"new-{uuid4()}")[endpoint.name]
        params = matrix.QUERIES.get(endpoint.name, {}) | query
        self.said += f"{path} {params} {sent}"
        client = self.callers[caller]
        if endpoint.name in matrix.STREAMS:
            return await _beginning(client, path, params)
        return await client.request(endpoint.method, path, params=params, **sent)

    async def objects(self, endpoint: Endpoint, caller: str) -> dict[str, str]:
        """Own objects; new ones where the endpoint changes what it names."""
        ids = dict(self.own.ids)
        if endpoint.method in matrix.WRITES:
            makers = self.own.makers()
            for name in endpoint.parameters:
                if name in makers:
                    ids[name] = await makers[name]()
            if endpoint.name in matrix.BEFORE:
                first = BY_NAME[matrix.BEFORE[endpoint.name]]
                answer = await self.send(first, caller, ids, {})
                assert answer.is_success, answer.text
                ids["operation_id"] = answer.json().get("operation_id", ids["operation_id"])
        return ids


async def _beginning(
    client: httpx2.AsyncClient, path: str, params: dict[str, str]
) -> httpx2.Response:
    """All that holds, which is all that a stream would tell of what was planted."""
    async with client.stream("GET", path, params=params) as answer:
        said = ""
        async for text in answer.aiter_text():
            said += text
            if matrix.BEGUN in said:
                break
    headers = [(k, v) for k, v in answer.headers.items() if k != "transfer-encoding"]
    return httpx2.Response(
        answer.status_code, headers=headers, content=said.encode(), request=answer.request
    )


@pytest.fixture(scope="module")
async def world(clients: Clients, database_dsn: str) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        rows = await stack.enter_async_context(querying(database_dsn))
        callers = {"nobody": clients.nobody, "stranger": clients.stranger}
        for role in (*ROLES, "expired", "revoked"):
            named = {"tenant": "acme", "role": role if role in ROLES else "admin", "name": role}
            key = (await create_key(database_dsn, **named, audit=AUDIT)).key
            headers = {"Authorization": f"Bearer {key}"}
            callers[role] = await stack.enter_async_context(
                httpx2.AsyncClient(base_url=clients.admin.base_url, headers=headers, timeout=60)
            )
        await rows("UPDATE api_keys SET expires_at = now() WHERE name = 'expired'")
        await rows("UPDATE api_keys SET revoked_at = now() WHERE name = 'revoked'")
        own = Tenant("acme", callers["admin"], rows)
        foreign = Tenant("globex", clients.stranger, rows)
        for tenant in (own, foreign):
            await tenant.plant()
        before = {one.name: await one.snapshot() for one in (own, foreign)}
        yield World(own, foreign, callers, before)


def content_of(answer: httpx2.Response) -> str:
    """All that an answer says, also in the files of an archive."""
    if answer.headers.get("content-type") != "application/zip":
        return answer.text
    with ZipFile(BytesIO(answer.content)) as archive:
        return "".join(archive.read(name).decode() for name in archive.namelist())


def refuse_leaks(answer: httpx2.Response, *tenants: Tenant, said: str = "") -> None:
    """Nothing of these tenants is in an answer, but what the caller said himself."""
    sent = f"{answer.request.url} {answer.request.content.decode()} {said}"
    got = content_of(answer) + str(answer.headers)
    for tenant in tenants:
        assert tenant.secret not in got
        found = [one for one in tenant.needles() if one in got and one not in sent]
        assert found == [], answer.request.url


def test_the_matrix_knows_every_endpoint() -> None:
    ids = {"test_id": ""} | dict.fromkeys(KEPT, "")
    given = matrix.bodies(ids, "x")
    objects = {*KEPT, "model_id", "operation_id", "key", "name", "digest"}
    for one in ENDPOINTS:
        assert set(one.parameters) <= objects, f"{one.name}: make such an object in planted.py"
        assert one.needs_body == (one.name in given), f"{one.name}: say its body in matrix.py"
        if one.permission == "none":
            assert one.name in matrix.PUBLIC, f"{one.name}: say why it is for everybody"
    known = {one.name for one in ENDPOINTS}
    for table in (given, matrix.QUERIES, matrix.BEFORE, matrix.NAMES_OF_ONES_OWN):
        assert table.keys() <= known
    assert known >= matrix.STREAMS
    assert set(matrix.BEFORE.values()) <= known
    assert matrix.PUBLIC.keys() == {one.name for one in ENDPOINTS if one.permission == "none"}


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda one: one.name)
async def test_who_may_and_who_may_not(world: World, endpoint: Endpoint) -> None:
    for caller in world.callers:
        if caller == "stranger":
            continue
        may = endpoint.permission == "none" or endpoint.permission in ROLES.get(caller, ())
        ids = await world.objects(endpoint, caller) if may else world.own.ids
        answer = await world.send(endpoint, caller, ids, {})
        told = (caller, answer.status_code, answer.text[:300])
        refuse_leaks(answer, world.foreign)
        if endpoint.permission == "none":
            assert answer.status_code in matrix.PUBLIC[endpoint.name], told
        elif may:
            assert answer.status_code in endpoint.successes, told
        else:
            assert answer.status_code == (401 if caller in UNKNOWN else 403), told
            refuse_leaks(answer, world.own)


@pytest.mark.parametrize(
    "endpoint", [one for one in ENDPOINTS if one.permission != "none"], ids=lambda one: one.name
)
async def test_what_is_another_tenants_is_not_there(world: World, endpoint: Endpoint) -> None:
    sides = [(caller, world.foreign) for caller in (*ROLES, *UNKNOWN)] + [("stranger", world.own)]
    for caller, theirs in sides:
        answer = await world.send(endpoint, caller, theirs.ids, {})
        told = (caller, answer.status_code, answer.text[:300])
        refuse_leaks(answer, theirs, said=world.said if endpoint.path in REPEATING else "")
        if caller in UNKNOWN:
            assert answer.status_code == 401, told
        elif caller in ROLES and endpoint.permission not in ROLES[caller]:
            assert answer.status_code == 403, told
        elif endpoint.parameters and endpoint.name not in matrix.NAMES_OF_ONES_OWN:
            assert answer.status_code == 404, told
        else:
            assert answer.status_code < matrix.FAILURE, told


@pytest.mark.parametrize(
    "endpoint",
    [one for one in ENDPOINTS if set(one.query) & set(matrix.FOREIGN_QUERY)],
    ids=lambda one: one.name,
)
async def test_no_filter_reaches_another_tenant(world: World, endpoint: Endpoint) -> None:
    theirs = world.foreign
    values = theirs.ids | {
        name: f"{name.removesuffix('_id')}-{theirs.word}"
        for name in ("agent_id", "user_id", "session_id")
    }
    values["dataset"] = theirs.ids["dataset_id"]
    for name in set(endpoint.query) & set(matrix.FOREIGN_QUERY):
        answer = await world.send(endpoint, "admin", world.own.ids, {name: values[name]})
        refuse_leaks(answer, theirs)
        assert answer.status_code < matrix.FAILURE, answer.text


async def test_nobody_names_another_tenants_object_in_a_body(world: World) -> None:
    admin, theirs = world.callers["admin"], world.foreign
    rule = {"name": f"n-{uuid4()}", **matrix.RULE, "channels": [theirs.ids["channel_id"]]}
    answer = await admin.post("/ai/alert-rules", json=rule)
    refuse_leaks(answer, theirs)
    assert answer.status_code == 422
    body = {"operation_id": "x", "model_id": "m", "success": True, "response_time_ms": 1}
    stolen = await admin.post("/ai/operations/log", json=body | {"tenant_id": theirs.name})
    assert stolen.status_code == 202
    mine = await world.foreign.admin.get("/ai/operations/x")
    assert mine.status_code == 404


async def test_what_was_planted_is_seen_by_its_own_tenant(world: World) -> None:
    """Else nothing above would mean anything."""
    seen = set()
    for endpoint in ENDPOINTS:
        if endpoint.method == "GET" and endpoint.permission != "none":
            answer = await world.send(endpoint, "admin", world.own.ids, {})
            # A 404 names what is not there.
            mine = (world.own.secret, *world.own.needles())
            if answer.is_success and any(one in content_of(answer) for one in mine):
                seen.add(endpoint.name)
    for name in KEPT:
        assert any(f"{{{name}}}" in one for one in seen), name
    assert {"GET /ai/operations", "GET /ai/feedback", "GET /ai/models", "GET /ai/stream"} <= seen
    assert {"GET /ai/training-data/export", "GET /ai/api-keys", "GET /ai/silences"} <= seen


async def test_in_the_end_everything_is_as_it_was(world: World) -> None:
    for tenant in (world.own, world.foreign):
        assert await tenant.snapshot() == world.before[tenant.name]
