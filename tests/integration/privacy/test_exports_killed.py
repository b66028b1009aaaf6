"""A gateway that is killed while it makes an export leaves it to the next one, whole."""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy.local.process import Child, free_port, spawn
from tests.integration.privacy.parts import OPERATIONS, Gateway, Ingest
from tests.support.events import operation
from tests.support.system import SECRET, Rows
from tests.support.waiting import eventually

ANNA = "anna-of-acme"
MANY = 130
"""Three portions."""


def gateway_process(dsn: str, log: Path, fault: str | None) -> Child:
    """A gateway that reaches Postgres only; it dies at a crash point."""
    settings = {
        "ASSAY_POSTGRES_DSN": dsn,
        "ASSAY_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "ASSAY_REDIS_URL": "redis://127.0.0.1:1",
        "ASSAY_SECRET_KEY": SECRET,
        "ASSAY_GATEWAY_PORT": str(free_port()),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    if fault is not None:
        settings["ASSAY_FAULT_POINT"] = fault
    argv = [sys.executable, "-m", "services.gateway"]
    return spawn("gateway", argv, log, env={**os.environ, **settings})


@pytest.mark.parametrize("point", ["subject-export.portion:2", "subject-export.stored:2"])
async def test_another_gateway_goes_on_where_it_was_killed(
    gateway: Gateway,
    ingest: Ingest,
    rows: Rows,
    dsns: dict[str, str],
    tmp_path: Path,
    point: str,
) -> None:
    await ingest.take(OPERATIONS, [operation(n, user_id=ANNA) for n in range(MANY)])
    export_id = await gateway.ask_export(ANNA)

    async def parts() -> list[Any]:
        return list(await rows("SELECT lines FROM subject_export_parts ORDER BY seq"))

    dying = gateway_process(dsns["gateway"], tmp_path / "dying.log", point)
    try:
        await eventually(_ended(dying), why="it is killed", deadline_s=60)
        assert dying.process.returncode == -signal.SIGKILL
        done = 1 if "portion" in point else 2
        assert [row["lines"] for row in await parts()] == [50] * done
    finally:
        dying.stop()
    following = gateway_process(dsns["gateway"], tmp_path / "following.log", None)
    try:

        async def is_ready() -> bool:
            return bool((await gateway.exports.get("acme", export_id))["status"] == "ready")

        await eventually(is_ready, why="the next gateway has made it", deadline_s=60)
    finally:
        following.stop()
    found = await gateway.file(export_id)
    assert sorted(line["operation_id"] for line in found["operations"]) == sorted(
        f"op-{number}" for number in range(MANY)
    )


def _ended(child: Child) -> Any:
    async def ended() -> bool:
        return not child.alive

    return ended
