"""The only place where metrics' parts meet."""

from collections.abc import Mapping
from functools import partial

import asyncpg

from services.metrics.consumer import subscribe
from services.metrics.domain.snapshot import Snapshot
from services.metrics.domain.windows import Windows
from services.metrics.publisher import AlertPublisher
from services.metrics.queries import operations, snapshot
from services.metrics.service.alerting import AlertKeeper
from services.metrics.service.behind import Behind
from services.metrics.service.comparing import Comparer, Rounds
from services.metrics.service.intake import GROUP, Metrics
from services.metrics.service.joining import join_waiting
from services.metrics.service.rebuilding import rebuild
from services.metrics.service.rows import RowKeeper
from services.metrics.service.statuses import StatusKeeper
from services.metrics.service.telling import tell
from services.metrics.service.viewing import ViewKeeper
from services.metrics.settings import MetricsSettings
from services.metrics.store.alerts import RedisAlerts
from services.metrics.store.cells import KEPT_S, SEEN_TTL_S, RedisStore
from services.metrics.store.comparing import RedisComparison
from services.metrics.store.erasing import NothingOfAnybody
from services.metrics.store.health import HealthRecord
from services.metrics.store.minutes import StoredMinutes
from services.metrics.store.record import AlertRecord
from services.metrics.store.rows import StoredRows
from services.metrics.store.statuses import RedisStatuses
from services.metrics.store.upkeep import AppendOnlyFile
from services.metrics.store.views import RedisViews
from services.metrics.ticker import STATUS_SHARE, JudgeTicker, Ticker
from shared import clock, telemetry
from shared.clock import utc_now
from shared.delivery.plan import Partition
from shared.delivery.redis import Client
from shared.delivery.runner import Runner
from shared.kafka import consumer_broker, consumer_of
from shared.prices import price_table, read_overrides
from shared.privacy.eraser import Eraser
from shared.producer import Producer
from shared.reporter import Reporter
from shared.runtime import Job, Process, consuming_process, probe_of
from shared.stores import LazyPostgres, connect_redis
from shared.tenants import Tenants
from shared.topics import COUNTED, Topic, topic_name


async def run(settings: MetricsSettings) -> None:
    """Wait for Redis, then consume until told to stop; Postgres may come and go."""
    async with consuming_process(settings) as process:
        await _run(settings, process)


async def _run(settings: MetricsSettings, process: Process) -> None:
    client = connect_redis(settings.redis_url, cluster=settings.redis_cluster)
    views = RedisViews(client)
    postgres = LazyPostgres(settings.postgres_dsn, service=GROUP)

    async def load_tenants() -> Mapping[str, bool]:
        try:
            found = await operations.tenants(await postgres.pool())
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return await views.remembered_tenants()
        await views.remember_tenants(found)
        return found

    tenants = Tenants(load_tenants)
    await process.wait_for("Redis", tenants.refresh)
    overrides = read_overrides(settings.prices_file) if settings.prices_file else None
    store = RedisStore(client, utc_now)

    async def take(partition: Partition) -> Snapshot:
        pool = await postgres.pool()
        return await snapshot.take(pool, partition, utc_now(), KEPT_S, SEEN_TTL_S)

    sink = Metrics(
        store,
        partial(rebuild, take, store),
        tenants,
        settings.topic_prefix,
        price_table(overrides),
        utc_now,
        settings.verifier,
    )
    telemetry.announce(GROUP)
    broker = consumer_broker(settings)
    runner = Runner(
        GROUP, sink, lambda: consumer_of(subscriber), exact_ends=settings.kafka_exact_ends
    )
    subscriber = subscribe(broker, settings.topic_prefix, runner, settings.metrics_max_records)

    names = [topic_name(topic, settings.topic_prefix) for topic in COUNTED]
    operations_topic = topic_name(Topic.OPERATIONS, settings.topic_prefix)
    statuses, health = RedisStatuses(client), HealthRecord(postgres.pool, client)
    status_keeper = StatusKeeper(
        *(statuses, health, lambda share: keeper.whole(share.partition)),
        *(runner.fence_of, settings.topic_partitions, utc_now),
    )
    keeper: ViewKeeper = ViewKeeper(
        views, names, settings.topic_partitions, utc_now, status_keeper.of
    )

    def shares() -> list[Partition]:
        return [one for one in runner.owned() if one.topic == operations_topic]

    async def look() -> None:
        await keeper.look(one.partition for one in shares())

    async def join() -> None:
        lookup = partial(operations.series_of_operations, await postgres.pool())
        for one in runner.owned():
            if one.topic != operations_topic:
                await join_waiting(one, store, lookup, runner.holding)

    probe = probe_of("redis", client.ping)
    comparer = Comparer(
        RedisComparison(client, utc_now),
        StoredMinutes(postgres.pool),
        durable=settings.kafka_durable,
    )
    rounds = Rounds(comparer, runner.owned, utc_now)
    ticker = Ticker(look, join, rounds, AppendOnlyFile(client).look)
    producer = Producer(settings.connection, idempotence=settings.kafka_idempotence)
    alert_ticker, read_rows = _alerting(settings, client, postgres, keeper, runner, producer)
    status_ticker = JudgeTicker(
        status_keeper.refresh,
        lambda: status_keeper.look(shares()),
        lambda: tell(statuses, shares(), health.write),
        STATUS_SHARE,
    )
    reporter = Reporter(GROUP, client, utc_now, runner)
    eraser = Eraser(GROUP, postgres.pool, {"redis": NothingOfAnybody(utc_now).erase})
    jobs = [
        *(alert_ticker.settings, alert_ticker.looks, alert_ticker.tales),
        *(status_ticker.settings, status_ticker.looks, status_ticker.tales),
        *(tenants.keep_fresh, ticker.views, ticker.joins, reporter.run),
        *(ticker.comparisons, ticker.upkeep, read_rows, eraser.run),
    ]
    await process.consume(broker, subscriber, runner, jobs, probe)
    await producer.close()
    await postgres.close()
    await client.aclose()


# So many records are read in seconds: sooner than two looks follow each other.
CAUGHT_UP = 50_000


class _Around:
    """What the keeper of alerts asks of the rest of this process."""

    def __init__(self, views: ViewKeeper, runner: Runner, rows: RowKeeper) -> None:
        self._views = views
        self._runner = runner
        self.rows = rows.seen

    def windows(self, share: Partition) -> Windows | None:
        return self._views.whole(share.partition)

    def hears(self) -> bool:
        runner = self._runner
        waits = runner.waits_for_log_since, runner.waits_for_store_since
        is_known = all(one in runner.lag for one in runner.owned())
        return waits == (None, None) and is_known and sum(runner.lag.values()) < CAUGHT_UP


def _alerting(
    settings: MetricsSettings,
    client: Client,
    postgres: LazyPostgres,
    views: ViewKeeper,
    runner: Runner,
    producer: Producer,
) -> tuple[JudgeTicker, Job]:
    """What looks at rules and what tells of it, and what reads operations for that."""
    alerts, record = RedisAlerts(client, utc_now), AlertRecord(postgres.pool, client)
    operations_topic = topic_name(Topic.OPERATIONS, settings.topic_prefix)

    def positions() -> dict[int, int]:
        every = runner.positions().items()
        return {one.partition: at for one, at in every if one.topic == operations_topic}

    behind = Behind(positions, clock.monotonic)
    rows = RowKeeper(StoredRows(postgres.pool, operations_topic), behind, utc_now)
    keeper = AlertKeeper(
        *(alerts, record, _Around(views, runner, rows), runner.fence_of),
        *(settings.topic_partitions, utc_now),
    )
    topic = topic_name(Topic.ALERTS, settings.topic_prefix)
    publisher = AlertPublisher(producer, topic, settings.signer)

    def shares() -> list[Partition]:
        return [one for one in runner.owned() if one.topic == operations_topic]

    ticker = JudgeTicker(
        keeper.refresh,
        lambda: keeper.look(shares()),
        lambda: tell(alerts, shares(), publisher.publish),
    )
    return ticker, partial(rows.run, keeper.rules)
