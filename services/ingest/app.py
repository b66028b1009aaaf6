"""The only place where ingest's parts meet."""

from services.ingest.consumer import subscribe
from services.ingest.publisher import DeadLetterPublisher
from services.ingest.service import GROUP, Ingest
from services.ingest.settings import IngestSettings
from services.ingest.store.batches import PostgresStore
from services.ingest.store.erasing import PostgresErasing
from services.ingest.store.retaining import PostgresRetaining
from services.ingest.ticker import Retention, Ticker
from shared import telemetry
from shared.clock import utc_now
from shared.delivery.runner import Runner
from shared.kafka import consumer_broker, consumer_of
from shared.prices import price_table, read_overrides
from shared.privacy.eraser import Eraser
from shared.privacy.mask import Mask, masking
from shared.privacy.names import Names
from shared.privacy.texts import said_tenant
from shared.producer import Producer
from shared.reporter import Reporter
from shared.runtime import Process, consuming_process, probe_of
from shared.stores import connect_postgres, connect_redis, pooled
from shared.tenants import Tenants
from shared.topics import MAX_RECORD_BYTES


async def run(settings: IngestSettings) -> None:
    """Wait for the stores, then consume until told to stop."""
    async with masking(settings) as mask, consuming_process(settings) as process:
        await _run(settings, process, mask)


async def _run(settings: IngestSettings, process: Process, mask: Mask | None) -> None:
    pool = await process.wait_for(
        "Postgres",
        lambda: connect_postgres(
            settings.postgres_dsn, service=GROUP, synchronous=not settings.kafka_durable
        ),
    )
    overrides = read_overrides(settings.prices_file) if settings.prices_file else None
    names = Names(settings.secret)
    store = PostgresStore(
        pool,
        GROUP,
        price_table(overrides),
        names,
        lambda tenant_id: tenants.content_free(tenant_id),  # noqa: PLW0108 - made below
        lambda letter: tenants.keeps_nothing(letter.tenant_id or said_tenant(letter.record_value)),
    )
    tenants = Tenants(store.tenants)
    await process.wait_for("the schema (run `assay migrate`)", store.check_schema)
    await process.wait_for("the tenants", tenants.refresh)

    telemetry.announce(GROUP)
    broker = consumer_broker(settings)
    runner = Runner(
        GROUP,
        Ingest(store, tenants, settings.topic_prefix, utc_now, settings.verifier, mask),
        lambda: consumer_of(subscriber),
        exact_ends=settings.kafka_exact_ends,
    )
    subscriber = subscribe(broker, settings.topic_prefix, runner, settings.ingest_max_records)
    producer = Producer(
        settings.connection,
        idempotence=settings.kafka_idempotence,
        max_request_size=MAX_RECORD_BYTES,
    )
    ticker = Ticker(store, DeadLetterPublisher(producer).publish, utc_now)

    erasing = PostgresErasing(names, utc_now)
    eraser = Eraser(
        GROUP,
        pooled(pool),
        {"postgres": erasing.erase, "kafka": erasing.kafka},
        erasing.noted,
    )

    probe = probe_of("postgres", store.check_schema)
    client = connect_redis(settings.redis_url, cluster=settings.redis_cluster)
    reporter = Reporter(GROUP, client, utc_now, runner, lambda: ticker.waiting)
    jobs = [
        tenants.keep_fresh,
        ticker.partitions,
        ticker.join,
        ticker.relay,
        eraser.run,
        reporter.run,
    ]
    if settings.retention == "on":
        jobs.append(Retention(PostgresRetaining(pool, utc_now).look).run)
    await process.consume(broker, subscriber, runner, jobs, probe)
    await producer.close()
    await client.aclose()
    await pool.close()
