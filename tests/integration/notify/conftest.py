"""notify in this process, channels that lead to a receiver, and steps published to the topic."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from services.notify import notifier, ticker
from services.notify.app import run
from services.notify.domain import deciding, retrying
from services.notify.service import sending
from services.notify.settings import NotifySettings
from shared.events.alert import AlertEvent
from shared.events.experiment import ExperimentEvent
from tests.support.receiver import Receiver, receiving
from tests.support.system import prepared, publish, running, topics
from tests.support.waiting import eventually


@pytest.fixture(scope="module", autouse=True)
def _soon() -> Any:
    """Waits that people would not notice are too long for tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ticker, "LOOK_EVERY_S", 0.05)
        patch.setattr(notifier, "SEND_WITHIN_S", 1.0)
        patch.setattr(sending, "REST_S", 0.2)
        patch.setattr(sending, "REPEAT_AFTER", timedelta(seconds=0.5))
        patch.setattr(retrying, "FIRST_WAIT", timedelta(seconds=0.2))
        patch.setattr(deciding, "LOOK_AGAIN_AFTER", timedelta(seconds=0.2))
        yield


@pytest.fixture(scope="module")
async def receiver() -> AsyncIterator[Receiver]:
    """Who is told."""
    async with receiving() as made:
        yield made


class World:
    """What tests do to notify's surroundings."""

    def __init__(self, settings: NotifySettings, bootstrap: str, dsn: str) -> None:
        self.settings = settings
        self.dsn = dsn
        self._bootstrap = bootstrap

    async def channel(self, url: str, kind: str = "webhook", secret: str | None = None) -> UUID:
        """A channel that was there before anything happened."""
        channel_id = uuid4()
        await self.sql(
            """
            INSERT INTO notification_channels (tenant_id, channel_id, name, type, url, secret,
                send_resolved, created_at, created_by)
            VALUES ('acme', $1, $2, $3, $4, $5, true, now() - interval '30 days', 'test')
            """,
            *(channel_id, str(channel_id), kind, url, secret),
        )
        return channel_id

    async def silence(self, matchers: str, until: datetime) -> None:
        """Hold back what has these labels."""
        await self.sql(
            """
            INSERT INTO silences (tenant_id, silence_id, matchers, starts_at, ends_at, comment,
                created_by)
            VALUES ('acme', gen_random_uuid(), $1, now() - interval '1 minute', $2, '', 'test')
            """,
            *(matchers, until),
        )

    async def tell(self, *steps: AlertEvent) -> None:
        """Publish steps, as metrics does."""
        topic = f"{self.settings.topic_prefix}alerts.v1"
        await publish(
            self._bootstrap,
            [
                (topic, str(one.alert_id).encode(), one.model_dump_json().encode(), ())
                for one in steps
            ],
        )

    async def tell_of_tests(self, *steps: ExperimentEvent) -> None:
        """Publish steps of A/B tests, as abtest and the gateway do."""
        topic = f"{self.settings.topic_prefix}experiments.v1"
        await publish(
            self._bootstrap,
            [
                (topic, str(one.test_id).encode(), one.model_dump_json().encode(), ())
                for one in steps
            ],
        )

    async def log(self, channel_id: UUID) -> list[tuple[str, str]]:
        """What was told to a channel, and what became of it, in order."""
        rows = await self.sql(
            """
            SELECT coalesce(alert_state, kind), state FROM notification_deliveries
             WHERE channel_id = $1 ORDER BY occurred_at, step
            """,
            channel_id,
        )
        return [(row[0], row[1]) for row in rows]

    async def sql(self, statement: str, *values: Any) -> list[asyncpg.Record]:
        """Ask or tell Postgres as its superuser."""
        connection = await asyncpg.connect(self.dsn)
        try:
            return await connection.fetch(statement, *values)
        finally:
            await connection.close()


@pytest.fixture(scope="module")
async def world(
    kafka_bootstrap: str, topic_prefix: str, database_dsn: str, redis_url: str
) -> AsyncIterator[World]:
    """notify, running."""
    dsns = await prepared(database_dsn)
    await topics(kafka_bootstrap, topic_prefix)
    settings = NotifySettings(
        kafka_bootstrap_servers=kafka_bootstrap,
        topic_prefix=topic_prefix,
        redis_url=redis_url,
        postgres_dsn=dsns["notify"],
        notify_allow_private=True,
    )
    async with running(run(settings)):
        yield World(settings, kafka_bootstrap, database_dsn)


@pytest.fixture
async def only(world: World) -> AsyncIterator[Callable[..., Awaitable[UUID]]]:
    """Make channels that are gone after the test, so that each test has its own."""
    yield world.channel
    await world.sql("DELETE FROM notification_channels")
    await world.sql("DELETE FROM silences")


async def until_log(world: World, channel_id: UUID, wanted: list[tuple[str, str]]) -> None:
    """Wait until a channel's log says this."""

    async def so() -> bool:
        return await world.log(channel_id) == wanted

    try:
        await eventually(so, why=f"the log is {wanted}", deadline_s=20)
    except AssertionError as error:
        raise AssertionError(f"{error}; it is {await world.log(channel_id)}") from error


def soon(seconds: float) -> datetime:
    """An instant that is to come."""
    return datetime.now(UTC) + timedelta(seconds=seconds)
