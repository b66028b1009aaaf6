"""The only place where feedback's parts meet."""

import sys

from services.feedback.consumer import subscribe
from services.feedback.domain.formulas import formula
from services.feedback.domain.sentiment.labels import Scorer
from services.feedback.publisher import ChangePublisher
from services.feedback.service.own_scorer import Forgiving, ScorerError, chosen_scorer
from services.feedback.service.taking import GROUP, Taking
from services.feedback.settings import FeedbackSettings
from services.feedback.store.batches import PostgresBatches
from services.feedback.store.erasing import PostgresErasing
from services.feedback.store.following import PostgresFollowing
from services.feedback.store.freezing import PostgresFreezing
from services.feedback.store.making import PostgresMaking
from services.feedback.store.raters import PostgresRaters
from services.feedback.store.retaining import PostgresRetaining
from services.feedback.store.telling import PostgresTelling
from services.feedback.store.upkeep import PostgresUpkeep
from services.feedback.ticker import Clocks, Retention, Teller, Ticker
from shared import telemetry
from shared.clock import utc_now
from shared.delivery.runner import Runner
from shared.ids import new_id
from shared.kafka import consumer_broker, consumer_of
from shared.privacy.eraser import Eraser
from shared.privacy.mask import Mask, masking
from shared.privacy.names import Names
from shared.producer import Producer
from shared.reporter import Reporter
from shared.runtime import Job, Process, consuming_process, probe_of
from shared.stores import connect_postgres, connect_redis, pooled
from shared.topics import Topic, topic_name
from shared.training.redaction import finds_any

# Records, of a batch that is being read.
MOST_LAG = 2_000


async def run(settings: FeedbackSettings) -> None:
    """Wait for the store, then consume until told to stop."""
    scorer = _scorer(settings.sentiment_scorer)
    async with masking(settings) as mask, consuming_process(settings) as process:
        await _run(settings, process, scorer, mask)


def _scorer(where: str | None) -> Scorer:
    try:
        return Forgiving(chosen_scorer(where))
    except ScorerError as error:
        sys.exit(f"ASSAY_SENTIMENT_SCORER is wrong: {error} (see docs/feedback.md).")


async def _run(
    settings: FeedbackSettings, process: Process, scorer: Scorer, mask: Mask | None
) -> None:
    pool = await process.wait_for(
        "Postgres",
        lambda: connect_postgres(
            settings.postgres_dsn, service=GROUP, synchronous=not settings.kafka_durable
        ),
    )
    names = Names(settings.secret)
    batches = PostgresBatches(pool, GROUP, scorer, names)
    await process.wait_for("the schema (run `assay migrate`)", batches.check_schema)

    telemetry.announce(GROUP)
    broker = consumer_broker(settings)
    runner = Runner(
        GROUP,
        Taking(batches, utc_now, settings.verifier, mask),
        lambda: consumer_of(subscriber),
        exact_ends=settings.kafka_exact_ends,
    )
    subscriber = subscribe(broker, settings.topic_prefix, runner, settings.feedback_max_records)
    producer = Producer(settings.connection, idempotence=settings.kafka_idempotence)
    following = PostgresFollowing(pool, GROUP, topic_name(Topic.OPERATIONS, settings.topic_prefix))
    raters = PostgresRaters(pool)
    await process.wait_for("the store's fences", following.begin)
    await process.wait_for("the store's nights", lambda: raters.begin(utc_now().date()))
    by = formula(settings.training_formula)
    making = PostgresMaking(pool, by, names.pseudonym, finds_any, new_id)
    freezing = PostgresFreezing(pool, by)
    clocks = Clocks(utc_now, lambda: sum(runner.lag.values()) > MOST_LAG)
    ticker = Ticker(making, following, freezing, raters, PostgresUpkeep(pool), clocks)
    teller = Teller(
        PostgresTelling(pool),
        ChangePublisher(producer, settings.topic_prefix, settings.signer).publish,
        utc_now,
    )

    probe = probe_of("postgres", batches.check_schema)
    client = connect_redis(settings.redis_url, cluster=settings.redis_cluster)
    reporter = Reporter(GROUP, client, utc_now, runner, lambda: ticker.waiting)
    erasing = PostgresErasing(new_id, utc_now)
    eraser = Eraser(GROUP, pooled(pool), {"postgres": erasing.erase}, erasing.noted)
    jobs = [*_jobs(ticker, teller, reporter), eraser.run]
    if settings.retention == "on":
        jobs.append(Retention(PostgresRetaining(pool)).run)
    await process.consume(broker, subscriber, runner, jobs, probe)
    await producer.close()
    await client.aclose()
    await pool.close()


def _jobs(ticker: Ticker, teller: Teller, reporter: Reporter) -> list[Job]:
    return [
        *(ticker.make, ticker.follow, ticker.freeze, ticker.nights),
        *(ticker.age, ticker.report, ticker.count),
        *(teller.tell, teller.forget, reporter.run),
    ]
