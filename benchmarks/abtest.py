"""abtest from a full topic, every event in a running test: few units that return, then many."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from pydantic import TypeAdapter
from pydantic_core import to_json

from benchmarks.servers import Keyed, Servers, events, filled_topic, rate_of, rss_mb
from shared.experiments.assignment import Epoch, Weight

EVENTS = 100_000
MANY = 50_000
EPOCHS = TypeAdapter(tuple[Epoch, ...])


async def abtest(target: Servers) -> dict[str, Any]:
    """Events per second that become units and sums; beside it, what concerns no test."""
    content = events(EVENTS)
    results = {"abtest_no_test": await _measured(target, content)}
    connection = await asyncpg.connect(target.postgres_dsn)
    await begin(connection, "bench")
    await connection.close()
    results["abtest"] = await _measured(target, content)
    results["abtest_many_units"] = await _measured(target, _with_many_units(content))
    return results | {"abtest_rss_mb": _rss.pop()}


_rss: list[float] = []


async def _measured(target: Servers, content: list[Keyed]) -> float:
    prefix = f"x{uuid4().hex[:6]}."
    await filled_topic(target, prefix, content)
    service = target.service("abtest", prefix)
    try:
        rate = await rate_of(partial(target.ingest_position, prefix), EVENTS, 180)
        _rss.append(rss_mb(service))
    finally:
        service.stop()
    return rate


async def begin(connection: Any, key: str, metrics: Sequence[str] = ("success_rate",)) -> UUID:
    """A test of one half each that has been running for an hour, by the first of some metrics."""
    test_id, since = uuid4(), datetime.now(UTC) - timedelta(hours=1)
    halves = (Weight("a", 0.5), Weight("b", 0.5))
    epochs = (Epoch(1, f"{test_id}.1", halves, 1.0, ((0, 10_000),), since),)
    roles = ["primary", *["secondary"] * (len(metrics) - 1)]
    body = {
        "key": key,
        "name": "Is b better?",
        "variants": [
            {"key": "a", "model_id": "model-1", "weight": 0.5, "is_control": True},
            {"key": "b", "model_id": "model-2", "weight": 0.5},
        ],
        "metrics": [
            {"name": name, "role": role} for name, role in zip(metrics, roles, strict=True)
        ],
    }
    await connection.execute(
        """
        INSERT INTO ab_tests (tenant_id, test_id, key, body, state, epochs, created_by, started_at)
        VALUES ('acme', $1, $2, $3, 'running', $4, 'bench', $5)
        """,
        *(test_id, key, to_json(body).decode(), EPOCHS.dump_json(epochs).decode(), since),
    )
    await connection.execute(
        """
        INSERT INTO ab_test_steps (tenant_id, event_id, test_id, occurred_at, state, reason, body)
        VALUES ('acme', gen_random_uuid(), $1, $2, 'running', '', '{}')
        """,
        *(test_id, since),
    )
    return test_id


def _with_many_units(content: list[Keyed]) -> list[Keyed]:
    """The same operations as new ones, by a hundred times as many users."""
    made = []
    for number, (key, value) in enumerate(content):
        event = json.loads(value) | {"event_id": str(uuid4()), "user_id": f"many-{number % MANY}"}
        made.append((key, json.dumps(event).encode()))
    return made
