"""The only place where notify's parts meet."""

from itertools import product
from uuid import uuid4

from services.notify.consumer import subscribe
from services.notify.domain.delivery import State
from services.notify.notifier import SEND_WITHIN_S, Notifier
from services.notify.service.planning import GROUP, Planning
from services.notify.service.sending import Sending
from services.notify.settings import NotifySettings
from services.notify.store.erasing import erase
from services.notify.store.lanes import PostgresLanes
from services.notify.store.planning import PostgresPlans
from services.notify.ticker import Ticker
from shared import telemetry
from shared.clock import utc_now
from shared.delivery.runner import Runner
from shared.kafka import consumer_broker, consumer_of
from shared.notifications.channel import ChannelType
from shared.privacy.eraser import Eraser
from shared.reporter import Reporter
from shared.runtime import Process, consuming_process, probe_of
from shared.stores import connect_postgres, connect_redis, pooled


async def run(settings: NotifySettings) -> None:
    """Wait for the store, then consume and send until told to stop."""
    async with consuming_process(settings) as process:
        await _run(settings, process)


async def _run(settings: NotifySettings, process: Process) -> None:
    pool = await process.wait_for(
        "Postgres", lambda: connect_postgres(settings.postgres_dsn, service=GROUP)
    )
    plans, lanes = PostgresPlans(pool, GROUP), PostgresLanes(pool)
    await process.wait_for("the schema (run `assay migrate`)", plans.check_schema)

    notifier = Notifier(allow_private=settings.notify_allow_private, now=utc_now)
    sending = Sending(lanes, notifier)
    ticker = Ticker(lanes, sending.serve, settings.notify_at_once, utc_now, uuid4)

    telemetry.announce(GROUP)
    for kind, state in product(ChannelType, State):
        telemetry.NOTIFICATIONS.labels(kind, state)
    broker = consumer_broker(settings)
    runner = Runner(
        GROUP,
        Planning(plans, ticker.wake, utc_now, settings.verifier),
        lambda: consumer_of(subscriber),
        exact_ends=settings.kafka_exact_ends,
    )
    subscriber = subscribe(broker, settings.topic_prefix, runner)

    probe = probe_of("postgres", plans.check_schema)
    client = connect_redis(settings.redis_url, cluster=settings.redis_cluster)
    reporter = Reporter(GROUP, client, utc_now, runner, lambda: ticker.waiting)
    eraser = Eraser(GROUP, pooled(pool), {"postgres": erase})
    jobs = [ticker.send, ticker.count, ticker.tidy, eraser.run, reporter.run]
    await process.consume(broker, subscriber, runner, jobs, probe)
    sending.is_stopping = True
    await ticker.finish(SEND_WITHIN_S)
    await notifier.close()
    await client.aclose()
    await pool.close()
