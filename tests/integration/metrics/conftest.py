"""Ingest and metrics in this process, with operations and feedback in them."""

from collections.abc import AsyncIterator

import pytest

from services.metrics import ticker
from tests.integration.metrics.both import Stores, both
from tests.support.events import feedback, operation

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
    every_s = getattr(request.module, "COMPARE_EVERY_S", NEVER_S)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ticker, "COMPARE_EVERY_S", every_s)
        async with both(kafka_bootstrap, topic_prefix, database_dsn, redis_url) as made:
            await made.send("operations", *(operation(number) for number in range(EVENTS)))
            await made.send("feedback", *(feedback(number) for number in range(60)))
            await made.send("feedback", feedback(1_000, model_id="named"), feedback(UNKNOWN))
            yield made
