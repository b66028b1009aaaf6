"""The only place where the gateway's parts meet."""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, NamedTuple

import structlog
import uvicorn
from fastapi import FastAPI

from services.gateway.domain.problems import AwayError, Problem
from services.gateway.publisher import Publisher
from services.gateway.routes.alerts import alert_routes
from services.gateway.routes.analysis import analysis_routes
from services.gateway.routes.assignment import assignment_routes
from services.gateway.routes.datasets import dataset_routes
from services.gateway.routes.errors import install_errors
from services.gateway.routes.experiments import experiment_routes
from services.gateway.routes.exporting import exporting_routes
from services.gateway.routes.feedback import feedback_routes
from services.gateway.routes.health import health_routes
from services.gateway.routes.limits import limits_routes
from services.gateway.routes.middleware import Around
from services.gateway.routes.notifications import notification_routes
from services.gateway.routes.otlp import otlp_routes
from services.gateway.routes.reading import reading_routes
from services.gateway.routes.reckoning import reckoning_routes
from services.gateway.routes.reviews import review_routes
from services.gateway.routes.system import system_routes
from services.gateway.routes.training import training_routes
from services.gateway.routes.writing import writing_routes
from services.gateway.service.admission import Admission
from services.gateway.service.alerting import Alerting
from services.gateway.service.analysing import Analysing
from services.gateway.service.assigning import Assigning
from services.gateway.service.experimenting import Experimenting
from services.gateway.service.exporting import Exporting
from services.gateway.service.exposing import Exposures
from services.gateway.service.forecasting import Forecasting
from services.gateway.service.freezing import Freezing
from services.gateway.service.gate import Gate
from services.gateway.service.health import Condition
from services.gateway.service.intake import Intake
from services.gateway.service.known_tests import KnownTests
from services.gateway.service.limits import Limits
from services.gateway.service.notifying import Notifying
from services.gateway.service.once import Once
from services.gateway.service.planning import Planning
from services.gateway.service.reading import Reading
from services.gateway.service.reviewing import Ask, Reviewing
from services.gateway.service.rows import RowReading
from services.gateway.service.statistics import Statistics
from services.gateway.service.telemetry import Telemetry
from services.gateway.service.telling_steps import StepTeller
from services.gateway.service.trying import Trial
from services.gateway.settings import GatewaySettings
from services.gateway.store.alerts import PostgresAlerts
from services.gateway.store.analysis import PostgresAnalysis
from services.gateway.store.datasets import PostgresDatasets
from services.gateway.store.experiments import PostgresExperiments
from services.gateway.store.exporting import PostgresExports
from services.gateway.store.health import PostgresHealth
from services.gateway.store.notifications import PostgresNotifications
from services.gateway.store.postgres import PostgresReads
from services.gateway.store.redis import RedisReads
from services.gateway.store.reviews import PostgresReviews
from services.gateway.store.rows import PostgresRows
from services.gateway.store.sessions import Sessions
from services.gateway.store.training import PostgresTraining
from shared import clock
from shared.clock import utc_now
from shared.ids import new_id
from shared.producer import Producer
from shared.pseudonym import pseudonym
from shared.reckoner import Reckoner, ReckoningError, UnanswerableError
from shared.reporter import Reporter
from shared.runtime import serve_until_told
from shared.stores import LazyPostgres, connect_redis
from shared.tasks import end

PROBE_TIMEOUT_S = 2.0
WARM_EVERY_S = 5.0
LAST_EXPOSURES_S = 2.0

log = structlog.get_logger()


def create_app(settings: GatewaySettings) -> FastAPI:
    """The whole gateway as an ASGI app; nothing is connected before it starts."""
    postgres = LazyPostgres(settings.postgres_dsn, service="gateway")
    client = connect_redis(settings.redis_url, cluster=settings.redis_cluster)
    sessions = Sessions(postgres)
    store, alerts = PostgresReads(sessions), PostgresAlerts(sessions)
    health = PostgresHealth(sessions)
    views = RedisReads(client, settings.topic_partitions)
    producer = Producer(settings.kafka_bootstrap_servers, idempotence=settings.kafka_idempotence)
    publisher = Publisher(producer)
    experiments = _experiments(settings, sessions)
    reckoner = Reckoner()
    checks = {"kafka": publisher.ping, "postgres": store.ping, "redis": views.ping}

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        reporter = Reporter("gateway", client, utc_now, depth=lambda: app.state.gate.under_way)
        jobs = [asyncio.ensure_future(_keep_warm(checks)), asyncio.ensure_future(reporter.run())]
        async with experiments.at_work():
            yield
        await end(jobs)
        await reckoner.close()
        await producer.close()
        await postgres.close()
        await for_exports.close()
        await client.aclose()

    app = FastAPI(
        title="Assay",
        version="0.1.0",
        summary="Watches the AI models that agents use in production.",
        lifespan=lifespan,
        redirect_slashes=False,
    )
    app.openapi_version = "3.1.0"
    app.state.admission = Admission(store, utc_now)
    app.state.gate = Gate(
        settings.gateway_most_requests, settings.gateway_most_bytes, clock.monotonic
    )
    _install_intake(app, settings, publisher)
    app.state.once, app.state.limits = Once(views), Limits(health)
    rows = PostgresRows(sessions)
    by_rows = RowReading(rows, store, health.book, utc_now)
    app.state.reading = Reading(views, store, by_rows, health.book, utc_now)
    app.state.condition = Condition(views, store, health.book, health, utc_now)
    app.state.store, app.state.alerts, app.state.health = store, alerts, health
    app.state.notifications = PostgresNotifications(sessions)
    app.state.alerting = Alerting(
        *(alerts, app.state.notifications.known_channels, Trial(store, rows, utc_now)),
        *(utc_now, new_id),
    )
    app.state.notifying = Notifying(
        app.state.notifications,
        utc_now,
        new_id,
        allow_private=settings.notify_allow_private,
    )
    ask, kept_s = partial(_ask, reckoner), settings.metrics_cache_ttl_s
    app.state.forecasting = Forecasting(store, ask, utc_now, kept_s)
    app.state.statistics = Statistics(store, health.book, ask, utc_now, kept_s)
    app.state.analysing = Analysing(PostgresAnalysis(sessions), ask, utc_now, kept_s)
    app.state.pseudonym = partial(pseudonym, settings.secret_key.get_secret_value().encode())
    experiments.install(app)
    _install_reviews(app, PostgresReviews(sessions), ask)
    for_exports = _install_training(app, settings, sessions)
    app.state.planning, app.state.views = Planning(experiments.store, ask, utc_now), views
    app.state.readiness = lambda: _readiness(checks)
    _include_routes(app, settings)
    install_errors(app)
    app.add_middleware(Around)
    return app


def _install_intake(app: FastAPI, settings: GatewaySettings, publisher: Publisher) -> None:
    app.state.intake = Intake(publisher.publish, settings.topic_prefix, utc_now, new_id)
    app.state.telemetry = Telemetry(app.state.intake, settings.otlp_content, utc_now)


def _install_reviews(app: FastAPI, reviews: PostgresReviews, ask: Ask) -> None:
    app.state.new_id, app.state.reviews = new_id, reviews
    app.state.reviewing = Reviewing(reviews, app.state.intake, ask, utc_now)


def _install_training(app: FastAPI, settings: GatewaySettings, sessions: Sessions) -> LazyPostgres:
    """Feedback, training rows and their files; answers the connections of files, to be closed.

    They are apart because a file may take minutes, and whoever asks for anything else must not
    wait for one.
    """
    most = settings.gateway_most_exports
    for_exports = LazyPostgres(settings.postgres_dsn, service="gateway", most=most)
    datasets = PostgresDatasets(sessions)
    app.state.training, app.state.datasets = PostgresTraining(sessions), datasets
    app.state.freezing = Freezing(datasets, new_id, clock.monotonic)
    rows = PostgresExports(Sessions(for_exports))
    app.state.exporting = Exporting(rows, datasets, most, settings.gateway_export_most_s)
    return for_exports


def _include_routes(app: FastAPI, settings: GatewaySettings) -> None:
    app.include_router(writing_routes())
    app.include_router(otlp_routes())
    app.include_router(reckoning_routes())  # before the metrics of any model, however it is named
    app.include_router(reading_routes())
    app.include_router(analysis_routes())
    app.include_router(health_routes())
    app.include_router(limits_routes())
    app.include_router(alert_routes())
    app.include_router(notification_routes())
    app.include_router(experiment_routes())
    app.include_router(assignment_routes())
    app.include_router(feedback_routes())
    app.include_router(exporting_routes())  # before a row of any id
    app.include_router(dataset_routes())
    app.include_router(training_routes())
    app.include_router(review_routes())
    app.include_router(system_routes(settings.docs_dir, metrics_public=settings.metrics_public))


class _Experiments(NamedTuple):
    """What A/B tests need besides answering: a fresh copy, and telling behind the answers."""

    store: PostgresExperiments
    known: KnownTests
    exposures: Exposures
    teller: StepTeller
    producer: Producer

    def install(self, app: FastAPI) -> None:
        """Make them known to the routes."""
        app.state.experiments = self.store
        app.state.experimenting = Experimenting(self.store, self.known.put, utc_now, new_id)
        app.state.assigning = Assigning(self.known, self.exposures)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Jobs run; at the end, what was shown is told first."""
        work = (self.known.keep_fresh(), self.exposures.run(), self.teller.run())
        jobs = [asyncio.ensure_future(one) for one in work]
        try:
            yield
            await self.exposures.drain(LAST_EXPOSURES_S)
        finally:  # also when the server was cancelled: jobs must not outlive it
            await end(jobs)
        await self.producer.close()


def _experiments(settings: GatewaySettings, sessions: Sessions) -> _Experiments:
    # A producer is made anew after any trouble; what nobody waits for must not trouble the intake.
    producer = Producer(settings.kafka_bootstrap_servers, idempotence=settings.kafka_idempotence)
    publish, store = Publisher(producer).publish, PostgresExperiments(sessions)
    exposures = Exposures(publish, settings.topic_prefix, utc_now, new_id)
    teller = StepTeller(store, publish, settings.topic_prefix)
    return _Experiments(store, KnownTests(store.changed), exposures, teller, producer)


async def run(settings: GatewaySettings) -> None:
    """Serve until told to stop."""
    if settings.event_trust == "open":
        log.warning("event_trust_open", meaning="whoever writes to the topics may name any tenant")
    config = uvicorn.Config(
        create_app(settings),
        host=settings.gateway_host,
        port=settings.gateway_port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=15,
        server_header=False,
    )
    # What is there by now stays: no collection need look at it again, and a million rows of an
    # export cause many.
    gc.collect()
    gc.freeze()
    await serve_until_told(config)


Check = Callable[[], Awaitable[object]]


async def _readiness(checks: Mapping[str, Check]) -> dict[str, str]:
    async def state(check: Check) -> str:
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                await check()
        except (AwayError, TimeoutError):
            return "away"
        return "ok"

    states = await asyncio.gather(*(state(check) for check in checks.values()))
    return dict(zip(checks, states, strict=True))


async def _keep_warm(checks: Mapping[str, Check]) -> None:
    """Connect ahead of the first request, and again after trouble; say what is away."""
    away: list[str] = []
    while True:
        with contextlib.suppress(asyncio.TimeoutError):
            states = await _readiness(checks)
            now_away = [name for name, state in states.items() if state != "ok"]
            if now_away != away:
                away = now_away
                log.warning("dependencies", away=away)
        await asyncio.sleep(WARM_EVERY_S)


async def _ask(reckoner: Reckoner, question: str) -> dict[str, Any]:
    try:
        return await reckoner.ask(question)
    except ReckoningError as error:
        raise AwayError("reckoning", f"it cannot be reckoned right now: {error}") from error
    except UnanswerableError as error:
        raise Problem("conflict", f"These numbers cannot be reckoned with: {error}.") from error
