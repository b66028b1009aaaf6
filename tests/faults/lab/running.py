"""A trial as a test that runs, written past the gateway: it may have begun long ago."""

import json
from typing import Any

import asyncpg

from tests.faults.lab.trial import BUCKETS, Trial
from tests.support.experiments import body

METRICS = [
    {"name": "success_rate", "role": "primary"},
    *({"name": name, "role": "secondary"} for name in ("response_time_ms", "rating", "cost_usd")),
]
TEST = """
    INSERT INTO ab_tests (tenant_id, test_id, key, body, state, epochs, created_by, started_at)
    VALUES ($1, $2, $3, $4, 'running', $5, 'test', $6)
"""
# Somebody took these steps, and they were told long ago.
STEP = """
    INSERT INTO ab_test_steps (tenant_id, event_id, test_id, occurred_at, state, reason, body,
        actor, published_at) VALUES ($1, gen_random_uuid(), $2, $3, $4, '', '{}', 'test', now())
"""


async def keep(connection: asyncpg.Connection, trial: Trial) -> None:
    """The test, and how it came to run."""
    epochs = json.dumps([one.stored() for one in trial.epochs])
    values = (trial.tenant, trial.test_id, trial.key, json.dumps(_config(trial)), epochs)
    await connection.execute(TEST, *values, trial.epochs[0].since)
    steps = [
        (at, state)
        for span in trial.spans
        for at, state in ((span.since, "running"), (span.until, "paused"))
        if at is not None
    ]
    await connection.executemany(STEP, [(trial.tenant, trial.test_id, *step) for step in steps])


def _config(trial: Trial) -> dict[str, Any]:
    """Looked at from the first units on, and never paused by itself: its traffic must count."""
    last = trial.epochs[-1]
    weights = dict(last.weights)
    variants = [
        {"key": key, "model_id": model, "weight": weights[key] / BUCKETS, "is_control": not at}
        for at, (key, model) in enumerate(trial.models)
    ]
    return body(
        key=trial.key,
        variants=variants,
        unit=trial.unit,
        traffic=last.traffic / BUCKETS,
        filter={"operation_type": trial.operation_type},
        metrics=METRICS,
        min_units_per_variant=20,
        min_runtime_hours=0,
        auto_pause=False,
    )
