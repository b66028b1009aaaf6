"""Ten faults, each planted alone: the doctor names it, says what to do, and blames nothing else."""

import asyncio
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions
from typer.testing import CliRunner

from deploy.cli import main
from deploy.doctor.finding import Level
from deploy.local.process import free_port
from deploy.migrations import head, revisions
from shared.clock import utc_now
from shared.kafka_settings import plain
from tests.integration.doctor.conftest import Doctor, failing
from tests.integration.doctor.old_redis import answering_as
from tests.support.system import prepared, querying, topics
from tests.support.waiting import eventually


def test_a_healthy_installation_has_nothing_that_fails(doctor: Doctor) -> None:
    found = doctor()
    bad = [one for one in found.values() if one.level not in (Level.OK, Level.UNSEEN)]
    assert [one for one in bad if one.name not in ("data folder", "postgres disk")] == []
    for name in (
        "topics",
        "kafka rights",
        "migrations",
        "roles",
        "postgres rights",
        "redis writes",
    ):
        assert found[name].level is Level.OK, found[name]


def test_1_a_broker_that_is_away(doctor: Doctor) -> None:
    port = free_port()
    found = doctor(ASSAY_KAFKA_BOOTSTRAP_SERVERS=f"127.0.0.1:{port}")
    assert failing(found) == {"kafka"}
    assert found["kafka"].seen == f"nothing listens at 127.0.0.1:{port}"
    assert "start it, or mend ASSAY_KAFKA_BOOTSTRAP_SERVERS" in str(found["kafka"].then)
    assert found["topics"].level is Level.UNSEEN


def test_2_a_topic_that_is_missing(doctor: Doctor, kafka_bootstrap: str, fresh_prefix: str) -> None:
    gone = f"{fresh_prefix}feedback.v1"

    async def plant() -> None:
        await topics(kafka_bootstrap, fresh_prefix)
        async with _admin(kafka_bootstrap) as admin:
            await admin.delete_topics([gone])

            async def is_gone() -> bool:
                return gone not in await admin.list_topics()

            await eventually(is_gone, why=f"{gone} is deleted")

    asyncio.run(plant())
    found = doctor(ASSAY_TOPIC_PREFIX=fresh_prefix)
    assert failing(found) == {"topics"}
    assert found["topics"].seen == f"missing: {gone}"
    assert "assay topics create" in str(found["topics"].then)


def test_3_wrong_partitions(doctor: Doctor, kafka_bootstrap: str, fresh_prefix: str) -> None:
    asyncio.run(topics(kafka_bootstrap, fresh_prefix))
    found = doctor(ASSAY_TOPIC_PREFIX=fresh_prefix, ASSAY_TOPIC_PARTITIONS="3")
    assert failing(found) == {"topic partitions"}
    assert "keep ASSAY_TOPIC_PARTITIONS=6" in str(found["topic partitions"].then)
    grown = f"{fresh_prefix}operations.v1"

    async def plant() -> None:
        async with _admin(kafka_bootstrap) as admin:
            await admin.create_partitions({grown: NewPartitions(total_count=7)})

            async def is_grown() -> bool:
                (topic,) = await admin.describe_topics([grown])
                return len(topic["partitions"]) == 7

            await eventually(is_grown, why=f"{grown} has grown")

    asyncio.run(plant())
    found = doctor(ASSAY_TOPIC_PARTITIONS="6")
    assert failing(found) == {"topic partitions"}
    assert found["topic partitions"].seen == f"{grown} has 7, not 6"


def test_4_a_migration_that_is_missing(doctor: Doctor, fresh_database: str) -> None:
    found = doctor(ASSAY_POSTGRES_DSN=fresh_database)
    assert failing(found) == {"migrations"}
    assert (found["migrations"].seen, found["migrations"].then) == (
        "missing: the database holds no schema",
        "run `assay migrate`",
    )
    asyncio.run(_at_revision(fresh_database, revisions()[-2]))
    found = doctor()
    assert failing(found) == {"migrations"}
    assert found["migrations"].seen.startswith("1 missing")
    asyncio.run(_at_revision(fresh_database, "9999"))
    found = doctor()
    assert failing(found) == {"migrations"}
    assert f"knows none after {head()}" in found["migrations"].seen
    assert "run that version" in str(found["migrations"].then)


def test_5_a_wrong_password(doctor: Doctor, healthy: dict[str, str]) -> None:
    before, _, host = healthy["ASSAY_POSTGRES_DSN"].rpartition("@")
    found = doctor(ASSAY_POSTGRES_DSN=f"{before.rpartition(':')[0]}:mistyped@{host}")
    assert failing(found) == {"postgres"}
    assert "refuses the user and password of ASSAY_POSTGRES_DSN" in found["postgres"].seen
    assert "mistyped" not in str(found)


@pytest.mark.parametrize(("skew_s", "level"), [(10, Level.WARN), (45, Level.FAIL)])
def test_6_clocks_that_differ(doctor: Doctor, skew_s: int, level: Level) -> None:
    found = doctor(now=lambda: utc_now() - timedelta(seconds=skew_s))
    for name in ("postgres clock", "redis clock"):
        assert found[name].level is level
        assert f"{skew_s}.0 s ahead of this machine's" in found[name].seen
        assert "NTP" in str(found[name].then)
    assert failing(found) == ({"postgres clock", "redis clock"} if level is Level.FAIL else set())


def test_7_a_disk_that_is_full(doctor: Doctor, tmp_path: Path) -> None:
    """A real one of 64 KiB, in a name space of its own; the program itself is asked there."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = f"mount -t tmpfs -o size=64k none {folder}"
    if not (shutil.which("unshare") and _alone(f"{mount} && true").returncode == 0):
        pytest.skip("this machine lets nobody make a small disk of his own")
    doctor()  # sets the variables
    asked = f"{sys.executable} -m deploy.cli doctor --json --data-dir {folder}/data"
    answer = _alone(f"{mount} && head -c 65536 /dev/zero > {folder}/fill; {asked}")
    assert answer.returncode == 1, answer.stderr
    checks = {one["name"]: one for one in json.loads(answer.stdout)["checks"]}
    assert {name for name, one in checks.items() if one["level"] == "fail"} == {"data folder"}
    assert "disk full: 0.0 MiB of 0.1 MiB" in checks["data folder"]["seen"]
    assert "--data-dir" in checks["data folder"]["next"]


def test_8_a_port_that_is_taken(doctor: Doctor) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        found = doctor(ASSAY_GATEWAY_PORT=str(port))
    assert failing(found) == {"gateway port"}
    assert f"127.0.0.1:{port} is taken by another program" in found["gateway port"].seen
    assert "ASSAY_GATEWAY_PORT" in str(found["gateway port"].then)


def test_9_an_old_redis(doctor: Doctor) -> None:
    with answering_as("5.0.14") as port:
        found = doctor(ASSAY_REDIS_URL=f"redis://127.0.0.1:{port}/0")
    assert failing(found) == {"redis version"}
    assert found["redis version"].seen == "Redis 5.0.14 is too old"
    assert "6.2 or newer" in str(found["redis version"].then)


def test_10_a_permission_that_is_gone(doctor: Doctor, fresh_database: str) -> None:
    async def plant() -> None:
        await prepared(fresh_database)
        async with querying(fresh_database) as run:
            await run("REVOKE INSERT ON ai_model_operations FROM svc_ingest")
            await run("REVOKE EXECUTE ON FUNCTION find_api_key(text) FROM svc_api")
            await run("REVOKE SELECT (model_id) ON ai_model_operations FROM svc_metrics")

    asyncio.run(plant())
    found = doctor(ASSAY_POSTGRES_DSN=fresh_database)
    assert failing(found) == {"postgres rights"}
    said = found["postgres rights"].seen
    assert "no permission: " in said
    for lacking in (
        "INSERT ON TABLE public.ai_model_operations TO svc_ingest",
        "EXECUTE ON FUNCTION public.find_api_key(text) TO svc_api",
        "SELECT (model_id) ON TABLE public.ai_model_operations TO svc_metrics",
    ):
        assert lacking in said
    then = str(found["postgres rights"].then)

    async def mend() -> None:
        async with querying(fresh_database) as run:
            await run(then.partition("`")[2].partition("`")[0])

    asyncio.run(mend())
    assert "find_api_key" not in doctor()["postgres rights"].seen


def test_the_program_says_it_too_and_exits_with_1(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    doctor()  # sets the variables
    asked = ["doctor", "--data-dir", str(tmp_path)]
    answer = CliRunner().invoke(main.app, asked)
    assert (answer.exit_code, "assay migrate" in answer.output) == (0, False), answer.output
    monkeypatch.setenv("ASSAY_TOPIC_PREFIX", "nobody-made-these.")
    answer = CliRunner().invoke(main.app, [*asked, "--json"])
    said = json.loads(answer.stdout)
    assert (answer.exit_code, said["level"]) == (1, "fail")
    assert [one["name"] for one in said["checks"] if one["level"] == "fail"] == ["topics"]


def test_servers_that_take_connections_and_say_nothing_hold_nobody_up(doctor: Doctor) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(64)
        at = f"127.0.0.1:{silent.getsockname()[1]}"
        found = doctor(
            ASSAY_KAFKA_BOOTSTRAP_SERVERS=at,
            ASSAY_POSTGRES_DSN=f"postgresql://u:p@{at}/d",
            ASSAY_REDIS_URL=f"redis://{at}",
        )
    assert failing(found) == {"kafka", "postgres", "redis"}


@contextlib.asynccontextmanager
async def _admin(bootstrap: str):  # type: ignore[no-untyped-def]
    admin = AIOKafkaAdminClient(**plain(bootstrap))
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def _at_revision(dsn: str, revision: str) -> None:
    async with querying(dsn) as run:
        await run("CREATE TABLE IF NOT EXISTS alembic_version (version_num varchar(32))")
        await run("DELETE FROM alembic_version")
        await run("INSERT INTO alembic_version VALUES ($1)", revision)


def _alone(command: str) -> subprocess.CompletedProcess[str]:
    """In a name space of its own, where anybody may mount."""
    argv = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", command]
    return subprocess.run(
        argv, capture_output=True, text=True, check=False, timeout=120, env=dict(os.environ)
    )
