"""Every service and job of the compose file, started as its container starts it."""

import asyncio
import json
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest
from redis import Redis

from deploy.image.healthy import port_of, trouble
from deploy.jobs.redis_acls import USERS
from deploy.jobs.secret_files import Places, make_secrets
from deploy.local.process import Child, free_port
from deploy.names import SERVICES
from tests.support.containers import Host
from tests.support.waiting import eventually

READY_WITHIN_S = 180
JOBS = ("migrate", "roles", "topics")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """One that others may enter, which pytest's own may not be."""
    with tempfile.TemporaryDirectory(prefix="assay-containers-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.fixture(scope="module")
def redis_users(redis_url: str, folder: Path, database_dsn: str) -> Iterator[Redis]:
    """Redis with the users of the made secrets; whose refusals can be read afterwards."""
    at, number = redis_url.rpartition("@")[2].removeprefix("redis://").split("/")
    secrets = folder / "secrets"
    secrets.mkdir()
    # Servers of the test have owners already.
    (secrets / "postgres-dsn-owner").write_text(database_dsn)
    place = database_dsn.rpartition("@")[2]
    make_secrets(secrets, Places(place, "assay", f"{at}/{number}", False))
    secrets.chmod(0o755)  # Docker hands in the files one by one
    with Redis.from_url(redis_url) as client:
        for line in (secrets / "redis-acl").read_text().splitlines():
            _, name, *rights = line.split()
            if name != "default":
                client.execute_command("ACL", "SETUSER", name, *rights)
        client.execute_command("ACL", "LOG", "RESET")
        yield client
        client.execute_command("ACL", "DELUSER", *USERS)


@pytest.fixture(scope="module")
def host(redis_users: Redis, folder: Path, kafka_bootstrap: str, topic_prefix: str) -> Host:
    return Host(
        folder,
        folder / "secrets",
        {"kafka:9092": kafka_bootstrap},
        {"ASSAY_TOPIC_PREFIX": topic_prefix},
    )


@pytest.fixture(scope="module")
def installed(host: Host) -> dict[str, str]:
    """What each job said, in the order of the compose file; twice, as at an upgrade."""
    for job in JOBS:
        host.run(job)
    return {job: host.run(job) for job in JOBS}


@pytest.fixture(scope="module")
def admin_key(host: Host, installed: dict[str, str]) -> str:
    """A tenant that all services know from their start: one that came to know it later would make
    dead letters of what others count."""
    assert installed
    made = host.run("assay", "keys", "create", "--role", "admin", "--tenant", "acme", "--json")
    return str(json.loads(made)["key"])


@pytest.fixture(scope="module")
async def running(host: Host, admin_key: str) -> AsyncIterator[dict[str, int]]:
    """All services, ready; answers where each can be asked. They end with code 0."""
    ports: dict[str, int] = {}
    children: list[Child] = []
    try:
        for name in SERVICES:
            telemetry, gateway = free_port(), free_port()
            given = {"ASSAY_TELEMETRY_PORT": telemetry, "ASSAY_GATEWAY_PORT": gateway}
            children.append(host.start(name, given))
            said = host.environment(name) | {key: str(value) for key, value in given.items()}
            ports[name] = port_of(said)
        async with httpx2.AsyncClient() as http:
            for child in children:
                await eventually(
                    lambda child=child: ready(http, child, ports[child.name]),  # type: ignore[misc]
                    why=f"{child.name} is ready",
                    deadline_s=READY_WITHIN_S,
                )
        yield ports
        ended = {}
        for child in children:
            ended[child.name] = await asyncio.to_thread(child.stop, signal.SIGTERM, 40)
        assert ended == dict.fromkeys(SERVICES, 0)
    finally:
        for child in children:
            if child.alive:
                child.kill()


async def ready(http: httpx2.AsyncClient, child: Child, port: int) -> bool:
    assert child.alive, f"{child.name} ended: {child.tail()}"
    try:
        return (await http.get(f"http://127.0.0.1:{port}/readyz")).is_success
    except httpx2.TransportError:
        return False


async def test_jobs_may_run_again(installed: dict[str, str]) -> None:
    assert "already" in installed["migrate"]
    assert "svc_api" in installed["roles"]
    assert "was there" in installed["topics"]
    assert "created" not in installed["topics"]


async def test_the_image_s_health_check_finds_every_service(running: dict[str, int]) -> None:
    assert running.keys() == set(SERVICES)
    assert {name: trouble(port) for name, port in running.items()} == dict.fromkeys(SERVICES)


async def test_an_operation_comes_through_with_these_rights_and_no_right_is_missed(
    running: dict[str, int], host: Host, redis_users: Redis, admin_key: str
) -> None:
    headers = {"Authorization": f"Bearer {admin_key}"}
    base = f"http://127.0.0.1:{running['gateway']}"
    rule = {"name": "any", "metric": "response_time_ms.mean", "operator": ">", "critical": 1}
    rule |= {"min_sample": 1, "gate": "point"}
    operation = {"model_id": "m", "success": True, "response_time_ms": 5}
    async with httpx2.AsyncClient(base_url=base, headers=headers, timeout=20) as http:

        async def taken() -> bool:
            sent = [operation | {"operation_id": uuid4().hex} for _ in range(30)]
            key = {"Idempotency-Key": uuid4().hex}
            return (await http.post("/ai/operations/log", json=sent, headers=key)).is_success

        await eventually(taken, why="operations are taken", deadline_s=30)
        ruled = await http.post("/ai/alert-rules", json=rule)
        assert ruled.is_success, ruled.text

        async def counted() -> bool:
            found = await http.get("/ai/metrics/m")
            return found.is_success and found.json()["sample"] >= 30

        await eventually(counted, why="they are counted", deadline_s=60)

        async def fires() -> bool:
            found = await http.get("/ai/alerts", params={"state": "firing"})
            return found.is_success and len(found.json()["items"]) == 1

        await eventually(fires, why="an alert fires", deadline_s=60)

        async def told() -> bool:
            services = (await http.get("/ai/system")).json()["services"]
            return {one["service"] for one in services} == set(SERVICES)

        await eventually(told, why="every service has told Redis how it is", deadline_s=30)
        assert (await http.get("/asyncapi.json")).is_success
    host.run("assay", "fences", "list")
    host.run("assay", "reconcile")
    host.run("assay", "rebuild", "metrics")
    exported = str(host.folder / "state" / "audit.jsonl")
    host.run("assay", "audit", "export", exported, "--tenant", "acme")
    host.run("assay", "audit", "verify", exported)
    assert redis_users.execute_command("ACL", "LOG") == []
    # Nobody's log says that something is missing or refused.
    for name in SERVICES:
        log = (host.folder / "logs" / f"{name}.log").read_text()
        assert "NOPERM" not in log
        assert "event_trust_signed" in log
