"""Ingest and metrics in this process, with operations and feedback in them."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.ingest.app import run as run_ingest
from services.ingest.settings import IngestSettings
from services.metrics import ticker
from services.metrics.app import run as run_metrics
from services.metrics.settings import MetricsSettings
from tests.integration.metrics.both import Stores
from tests.support.events import feedback, operation
from tests.support.system import SECRET, prepared, running, topics

NEVER_S = 86_400
EVENTS = 600
UNKNOWN = 7_000_000


@pytest.fixture(scope="module")
async def stores(
    kafka_bootstrap: str,
    topic_prefix: str,
    database_dsn: str,
    redis_url: str,
    request: pytest.FixtureRequest,
) -> AsyncIterator[Stores]:
    """Ingest and metrics over the same topics; they compare by themselves if the module says so."""
    dsns = await prepared(database_dsn)
    await topics(kafka_bootstrap, topic_prefix)
    common: dict[str, Any] = {
        "kafka_bootstrap_servers": kafka_bootstrap,
        "topic_prefix": topic_prefix,
        "redis_url": redis_url,
    }
    ingest = IngestSettings(**common, postgres_dsn=dsns["ingest"], secret_key=SECRET)
    metrics = MetricsSettings(**common, postgres_dsn=dsns["metrics"])
    made = Stores(kafka_bootstrap, topic_prefix, database_dsn, redis_url)
    every_s = getattr(request.module, "COMPARE_EVERY_S", NEVER_S)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ticker, "COMPARE_EVERY_S", every_s)
        async with running(run_ingest(ingest)), running(run_metrics(metrics)):
            await made.send("operations", *(operation(number) for number in range(EVENTS)))
            await made.send("feedback", *(feedback(number) for number in range(60)))
            await made.send("feedback", feedback(1_000, model_id="named"), feedback(UNKNOWN))
            yield made
