"""The only place where abtest's parts meet."""

from services.abtest.consumer import subscribe
from services.abtest.domain.candidates import Ignored
from services.abtest.service.counting import GROUP, Counting
from services.abtest.service.deciding import Deciding
from services.abtest.service.recalling import Recalling
from services.abtest.settings import AbtestSettings
from services.abtest.store.batches import PostgresBatches
from services.abtest.store.erasing import PostgresErasing
from services.abtest.store.past import PostgresPast
from services.abtest.store.results import PostgresResults
from services.abtest.store.upkeep import PostgresUpkeep
from services.abtest.ticker import Ticker
from shared import telemetry
from shared.clock import monotonic, utc_now
from shared.delivery.runner import Runner
from shared.kafka import consumer_broker, consumer_of
from shared.prices import price_table, read_overrides
from shared.privacy.eraser import Eraser
from shared.privacy.names import Names
from shared.reporter import Reporter
from shared.runtime import Process, consuming_process, probe_of
from shared.stores import connect_postgres, connect_redis, pooled

# Records a transaction: each adds to the same sums and sketches, so that half as many transactions
# take a fifth less CPU, here and in the server.
PIECE = 3_000


async def run(settings: AbtestSettings) -> None:
    """Wait for the store, then consume until told to stop."""
    async with consuming_process(settings) as process:
        await _run(settings, process)


async def _run(settings: AbtestSettings, process: Process) -> None:
    pool = await process.wait_for(
        "Postgres",
        lambda: connect_postgres(
            settings.postgres_dsn, service=GROUP, synchronous=not settings.kafka_durable
        ),
    )
    overrides = read_overrides(settings.prices_file) if settings.prices_file else None
    names = Names(settings.secret)
    batches = PostgresBatches(pool, GROUP, price_table(overrides), names)
    await process.wait_for("the schema (run `assay migrate`)", batches.check_schema)
    deciding = Deciding(PostgresResults(pool), utc_now, monotonic)
    recalling = Recalling(PostgresPast(pool), monotonic)
    ticker = Ticker(batches, PostgresUpkeep(pool), deciding.look, recalling.step)

    telemetry.announce(GROUP)
    for why in Ignored:
        telemetry.EXPOSURES_IGNORED.labels(why)
    broker = consumer_broker(settings)
    runner = Runner(
        GROUP,
        Counting(batches, settings.topic_prefix, utc_now, settings.verifier),
        lambda: consumer_of(subscriber),
        exact_ends=settings.kafka_exact_ends,
        piece=PIECE,
    )
    subscriber = subscribe(broker, settings.topic_prefix, runner, settings.abtest_max_records)

    probe = probe_of("postgres", batches.check_schema)
    client = connect_redis(settings.redis_url, cluster=settings.redis_cluster)
    reporter = Reporter(GROUP, client, utc_now, runner, lambda: ticker.waiting)
    erasing = PostgresErasing(names)
    eraser = Eraser(GROUP, pooled(pool), {"postgres": erasing.erase}, erasing.noted)
    jobs = [
        *(ticker.looks, ticker.join, ticker.recall, ticker.count, ticker.tidy),
        *(eraser.run, reporter.run),
    ]
    await process.consume(broker, subscriber, runner, jobs, probe)
    await client.aclose()
    await pool.close()
