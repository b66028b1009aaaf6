"""The only place where ingest's parts meet."""

from functools import partial

from services.ingest.consumer import subscribe
from services.ingest.publisher import DeadLetterPublisher
from services.ingest.service import GROUP, Ingest
from services.ingest.settings import IngestSettings
from services.ingest.store import PostgresStore
from services.ingest.ticker import Ticker
from shared import telemetry
from shared.clock import utc_now
from shared.delivery.runner import Runner
from shared.kafka import consumer_broker, consumer_of
from shared.prices import price_table, read_overrides
from shared.producer import Producer
from shared.pseudonym import pseudonym
from shared.reporter import Reporter
from shared.runtime import Process, consuming_process, probe_of
from shared.stores import connect_postgres, connect_redis
from shared.tenants import Tenants
from shared.topics import MAX_RECORD_BYTES


async def run(settings: IngestSettings) -> None:
    """Wait for the stores, then consume until told to stop."""
    async with consuming_process(settings) as process:
        await _run(settings, process)


async def _run(settings: IngestSettings, process: Process) -> None:
    pool = await process.wait_for(
        "Postgres",
        lambda: connect_postgres(
            settings.postgres_dsn, service=GROUP, synchronous=not settings.kafka_durable
        ),
    )
    overrides = read_overrides(settings.prices_file) if settings.prices_file else None
    secret = settings.secret_key.get_secret_value().encode()
    store = PostgresStore(
        pool,
        GROUP,
        price_table(overrides),
        partial(pseudonym, secret),
        lambda tenant_id: tenants.content_free(tenant_id),  # noqa: PLW0108 - made below
    )
    tenants = Tenants(store.tenants)
    await process.wait_for("the schema (run `assay migrate`)", store.check_schema)
    await process.wait_for("the tenants", tenants.refresh)

    telemetry.announce(GROUP)
    broker = consumer_broker(settings)
    runner = Runner(
        GROUP,
        Ingest(store, tenants, settings.topic_prefix, utc_now),
        lambda: consumer_of(subscriber),
        exact_ends=settings.kafka_exact_ends,
    )
    subscriber = subscribe(broker, settings.topic_prefix, runner, settings.ingest_max_records)
    producer = Producer(
        settings.kafka_bootstrap_servers,
        idempotence=settings.kafka_idempotence,
        max_request_size=MAX_RECORD_BYTES,
    )
    ticker = Ticker(store, DeadLetterPublisher(producer).publish, utc_now)

    probe = probe_of("postgres", store.check_schema)
    client = connect_redis(settings.redis_url, cluster=settings.redis_cluster)
    reporter = Reporter(GROUP, client, utc_now, runner, lambda: ticker.waiting)
    jobs = [tenants.keep_fresh, ticker.partitions, ticker.join, ticker.relay, reporter.run]
    await process.consume(broker, subscriber, runner, jobs, probe)
    await producer.close()
    await client.aclose()
    await pool.close()
