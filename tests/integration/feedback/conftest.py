"""ingest and feedback in this process, and events published to their topics."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from typing import Any

import pytest

from services.feedback.app import run
from services.feedback.domain.making import Row
from services.feedback.settings import FeedbackSettings
from services.ingest.app import run as run_ingest
from services.ingest.settings import IngestSettings
from tests.support.system import SECRET, prepared, running, topics
from tests.support.waiting import eventually
from tests.support.world import Surroundings


class World(Surroundings):
    """What tests do to feedback's surroundings."""

    def __init__(self, values: Mapping[str, Any], dsns: Mapping[str, str], dsn: str) -> None:
        super().__init__(values["kafka_bootstrap_servers"], dsn, values["topic_prefix"])
        self.values = dict(values)
        self.settings = FeedbackSettings(**values, postgres_dsn=dsns["feedback"])
        self.ingest = IngestSettings(**values, postgres_dsn=dsns["ingest"])
        self.dsns = dsns

    async def settled(self, deadline_s: float = 60) -> None:
        """Wait until all that was sent is stored, followed, and made into rows."""
        said = self.sent.get(f"{self.prefix}feedback.v1", 0)
        done = self.sent.get(f"{self.prefix}operations.v1", 0)

        async def so() -> bool:
            rows = await self.sql(
                "SELECT consumer_group, topic, sum(next_offset)::bigint AS n FROM consumer_fence"
                " WHERE consumer_group IN ('ingest', 'feedback') GROUP BY 1, 2"
            )
            at = {(row[0], row[1].removeprefix(self.prefix)): row[2] for row in rows}
            due = await self.sql("SELECT count(*) FROM feedback_due")
            return due[0][0] == 0 and all(
                at.get((group, topic), 0) == n
                for group in ("ingest", "feedback")
                for topic, n in (("feedback.v1", said), ("operations.v1", done))
            )

        await eventually(so, why="all is stored and made", deadline_s=deadline_s)

    async def rows(self, operation_id: str, tenant: str = "acme") -> dict[str, Row]:
        """Rows of an operation: the answer's, and corrections' by their texts."""
        found = await self.sql(
            f"SELECT {', '.join(Row._fields)} FROM model_training_data"
            " WHERE tenant_id = $1 AND operation_id = $2",
            tenant,
            operation_id,
        )
        rows = [Row(*row) for row in found]
        return {row.kind if row.kind == "answer" else row.output or "": row for row in rows}

    async def answer(self, operation_id: str, tenant: str = "acme") -> Row:
        """The row of what the model said."""
        return (await self.rows(operation_id, tenant))["answer"]


async def surroundings_of(
    kafka_bootstrap: str, topic_prefix: str, database_dsn: str, redis_url: str
) -> World:
    """What feedback needs, and no service."""
    dsns = await prepared(database_dsn)
    await topics(kafka_bootstrap, topic_prefix)
    values = {
        "kafka_bootstrap_servers": kafka_bootstrap,
        "topic_prefix": topic_prefix,
        "redis_url": redis_url,
        "secret_key": SECRET,
    }
    return World(values, dsns, database_dsn)


@pytest.fixture(scope="module")
async def surroundings(
    kafka_bootstrap: str, topic_prefix: str, database_dsn: str, redis_url: str
) -> World:
    """What feedback needs, and no service."""
    return await surroundings_of(kafka_bootstrap, topic_prefix, database_dsn, redis_url)


@pytest.fixture(scope="module")
async def world(surroundings: World) -> AsyncIterator[World]:
    """Both services at work."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running(run_ingest(surroundings.ingest)))
        await stack.enter_async_context(running(run(surroundings.settings)))
        yield surroundings
