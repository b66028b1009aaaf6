"""What a gateway writes to its log while secrets and people's texts go through it."""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import httpx2
import pytest

from deploy.jobs.keys import create_key
from deploy.jobs.roles import ROLE_OF, give_passwords
from deploy.local.process import Child, free_port, spawn
from tests.integration.gateway.callers import Alone
from tests.integration.gateway.conftest import NOWHERE
from tests.support.system import AUDIT, PASSWORD
from tests.support.waiting import eventually

PLANTED = "planted9f1c"
IN_DSN, IN_SECRET = f"{PLANTED}-dsn", f"{PLANTED}-secret-of-at-least-32-characters"
IN_HEADER, IN_QUERY, IN_BODY = f"{PLANTED}-header", f"{PLANTED}-query", f"{PLANTED}-body"


class Told(NamedTuple):
    """A gateway that says all it has to say, and its admin's key."""

    child: Child
    url: str
    key: str


@pytest.fixture(scope="module")
async def told(
    alone: Alone, database_dsn: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Told]:
    del alone  # it has prepared the database
    key = (
        await create_key(database_dsn, tenant="acme", role="admin", name="logs", audit=AUDIT)
    ).key
    dsn = (await give_passwords(database_dsn, {"gateway": IN_DSN}, AUDIT))["gateway"]
    port = free_port()
    settings = {
        "ASSAY_KAFKA_BOOTSTRAP_SERVERS": NOWHERE,
        "ASSAY_REDIS_URL": redis_url,
        "ASSAY_POSTGRES_DSN": dsn,
        "ASSAY_SECRET_KEY": IN_SECRET,
        "ASSAY_GATEWAY_CURSOR_KEYS": IN_SECRET,
        "ASSAY_GATEWAY_PORT": str(port),
        "ASSAY_LOG_LEVEL": "debug",
    }
    log = tmp_path_factory.mktemp("gateway") / "log"
    argv = [sys.executable, "-m", "services.gateway"]
    child = spawn("gateway", argv, log, env={**os.environ, **settings})
    url = f"http://127.0.0.1:{port}"
    try:
        await eventually(lambda: _lives(url), why="the gateway answers")
        yield Told(child, url, key)
    finally:
        child.stop()
        # Others of this module's database go on with the password that they know.
        await give_passwords(database_dsn, dict.fromkeys(ROLE_OF, PASSWORD), AUDIT)


async def _lives(url: str) -> bool:
    try:
        async with httpx2.AsyncClient(base_url=url) as client:
            return (await client.get("/healthz")).is_success
    except httpx2.TransportError:
        return False


async def test_no_secret_and_no_text_of_anybody_is_in_a_log(told: Told) -> None:
    secret = told.key.rpartition("_")[2]
    async with httpx2.AsyncClient(base_url=told.url, timeout=30) as client:
        await _ask_everything(client, told.key)
        for headers in (
            {"Authorization": f"Bearer {IN_HEADER}"},
            {"Authorization": f"Basic {IN_HEADER}"},
            {"X-API-Key": IN_HEADER},
        ):
            assert (await client.get("/ai/models", headers=headers)).status_code == 401
    await _say_nonsense(told.url)
    told.child.stop()
    log = said(told.child.log_file)
    assert {json.loads(line)["service"] for line in log.splitlines()} == {"gateway"}
    assert "Invalid HTTP request received." in log, "the server's own words too"
    assert '"event": "request"' in log, "it was told to say much"
    assert '"dependencies"' in log, "Kafka is away"
    assert "Traceback" not in log
    assert '"event": "unexpected"' not in log
    assert secret not in log
    assert re.findall(f"{PLANTED}[a-z-]*", log) == []


async def _say_nonsense(url: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    writer.write(f"NONSENSE {IN_HEADER}\r\n\r\n".encode())
    assert (await reader.read()).startswith(b"HTTP/1.1 400")
    writer.close()


def said(log_file: Path) -> str:
    return log_file.read_text()


async def _ask_everything(client: httpx2.AsyncClient, key: str) -> None:
    headers = {
        "Authorization": f"Bearer {key}",
        "Cookie": f"session={IN_HEADER}",
        "Idempotency-Key": IN_HEADER,
        "Traceparent": IN_HEADER,
    }
    event = {
        "operation_id": IN_BODY,
        "model_id": IN_BODY,
        "success": True,
        "response_time_ms": 1,
        "input_text": IN_BODY,
        "comment": IN_BODY,
        "helpful": True,
        "name": IN_BODY,
        "url": f"https://hooks.slack.com/services/{IN_BODY}",
        "secret": IN_BODY,
        "metadata": {"a": IN_BODY},
    }
    document = (await client.get("/openapi.json")).json()
    for path, kinds in document["paths"].items():
        for method in kinds:
            url = re.sub(r"\{[^}]*\}", IN_BODY, path)
            bodies = (
                [{"json": event}, {"content": f'{{"x": "{IN_BODY}'}] if method != "get" else [{}]
            )
            for body in bodies:
                await client.request(
                    method, url, headers=headers, params={"user_id": IN_QUERY}, **body
                )
