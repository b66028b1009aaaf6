"""A running gateway with something in its stores, for strangers to be rude to."""

import os
import sys
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import httpx2
import pytest

from deploy.jobs.keys import create_key
from deploy.local.process import Child, free_port, spawn
from tests.integration.gateway.stored import (
    model_seen,
    store_feedback,
    store_operation,
    with_days,
)
from tests.integration.gateway.trained import store_analysis, store_dataset, store_training
from tests.support.experiments import body as ab_test
from tests.support.system import AUDIT, SECRET, Rows, prepared, querying, topics
from tests.support.waiting import eventually


class Running(NamedTuple):
    """A gateway, who may all of it, and what it writes down."""

    child: Child
    url: str
    admin_key: str
    known: Mapping[str, str]
    """Values of path parameters for which there is something."""

    def log(self) -> str:
        return Path(self.child.log_file).read_text()


@pytest.fixture(scope="module")
async def gateway(
    kafka_bootstrap: str,
    topic_prefix: str,
    database_dsn: str,
    redis_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Running]:
    dsns = await prepared(database_dsn)
    await topics(kafka_bootstrap, topic_prefix)
    key = (
        await create_key(database_dsn, tenant="acme", role="admin", name="fuzz", audit=AUDIT)
    ).key
    async with querying(database_dsn) as rows:
        known = await _filled(rows)
    port = free_port()
    settings = {
        "ASSAY_KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap,
        "ASSAY_TOPIC_PREFIX": topic_prefix,
        "ASSAY_REDIS_URL": redis_url,
        "ASSAY_POSTGRES_DSN": dsns["gateway"],
        "ASSAY_SECRET_KEY": SECRET,
        "ASSAY_GATEWAY_PORT": str(port),
        # Refusals of quotas would hide what else there is to find.
        **dict.fromkeys(("ASSAY_GATEWAY_WRITES_PER_S", "ASSAY_GATEWAY_READS_PER_S"), "0"),
        "ASSAY_GATEWAY_HEAVY_READS_PER_S": "0",
    }
    folder = tmp_path_factory.mktemp("gateway")
    # Who asks for a dataset waits for it.
    freezing = {**settings, "ASSAY_POSTGRES_DSN": dsns["feedback"]}
    argv: list[str] = [sys.executable, "-m", "services.feedback"]
    feedback = spawn("feedback", argv, folder / "feedback", env={**os.environ, **freezing})
    argv = [sys.executable, "-m", "services.gateway"]
    child = spawn("gateway", argv, folder / "log", env={**os.environ, **settings})
    running = Running(child, f"http://127.0.0.1:{port}", key, known)
    try:
        await eventually(lambda: _ready(running.url), why="the gateway is ready", deadline_s=60)
        known |= await _made(running)
        yield running
    finally:
        child.stop()
        feedback.stop()


async def _ready(url: str) -> bool:
    try:
        async with httpx2.AsyncClient(base_url=url) as client:
            return (await client.get("/readyz")).is_success
    except httpx2.TransportError:
        return False


async def _filled(rows: Rows) -> dict[str, str]:
    """A few of everything that services store."""
    now = datetime.now(UTC)
    await with_days(rows, now, now - timedelta(days=1))
    await model_seen(rows, "m")
    for number in range(3):
        operation_id = await store_operation(rows, now - timedelta(minutes=number))
        event_id = uuid4()
        at = now - timedelta(minutes=number)
        await store_feedback(rows, at, operation_id, event_id=event_id, rating=4, comment="Good.")
        await store_analysis(rows, at, event_id, operation_id)
        row_id = await store_training(rows)
        dataset_id = await store_dataset(rows)
    return {
        "model_id": "m",
        "operation_id": operation_id,
        "row_id": str(row_id),
        "dataset_id": str(dataset_id),
        "name": "operation.v1",
    }


async def _made(running: Running) -> dict[str, str]:
    """One of everything that people make."""
    headers = {"Authorization": f"Bearer {running.admin_key}"}
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    bodies: dict[str, tuple[str, dict[str, Any]]] = {
        "rule_id": (
            "/ai/alert-rules",
            {"name": "slow", "metric": "response_time_ms.p95", "operator": ">", "critical": 900},
        ),
        "silence_id": ("/ai/silences", {"matchers": {"model_id": "m"}, "ends_at": until}),
        "channel_id": (
            "/ai/notification-channels",
            {"name": "hook", "type": "webhook", "url": "https://hooks.example.org/1"},
        ),
        "test_id": ("/ai/ab-tests", ab_test()),
        "queue_id": ("/ai/review-queues", {"name": "doubtful", "sample": 2}),
    }
    ids = {}
    async with httpx2.AsyncClient(base_url=running.url, headers=headers, timeout=30) as client:
        for name, (path, body) in bodies.items():
            made = await client.post(path, json=body)
            assert made.is_success, (path, made.text)
            ids[name] = made.json()["id"]
    return ids | {"key": str(ab_test()["key"])}
