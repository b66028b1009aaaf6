"""The only place where the gateway's parts meet."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import uvicorn
from fastapi import FastAPI

from services.gateway.domain.problems import AwayError, Problem
from services.gateway.publisher import Publisher
from services.gateway.service.analysing import Analysing
from services.gateway.service.forecasting import Forecasting
from services.gateway.service.health import Condition
from services.gateway.service.limits import Limits
from services.gateway.service.planning import Planning
from services.gateway.service.pulse import Pulse
from services.gateway.service.reading import Reading
from services.gateway.service.rows import RowReading
from services.gateway.service.statistics import Statistics
from services.gateway.service.trying import Trial
from services.gateway.settings import GatewaySettings
from services.gateway.store.alerts import PostgresAlerts
from services.gateway.store.analysis import PostgresAnalysis
from services.gateway.store.audit import PostgresAudit
from services.gateway.store.health import PostgresHealth
from services.gateway.store.notifications import PostgresNotifications
from services.gateway.store.postgres import PostgresReads
from services.gateway.store.redis import RedisReads
from services.gateway.store.reviews import PostgresReviews
from services.gateway.store.rows import PostgresRows
from services.gateway.store.sessions import Sessions
from services.gateway.wiring.access import access_of
from services.gateway.wiring.experiments import experiments_of
from services.gateway.wiring.parts import (
    install_alerts,
    install_audit,
    install_intake,
    install_limits,
    install_privacy,
    install_reviews,
    install_streams,
    install_training,
    recorder_of,
)
from services.gateway.wiring.readiness import Looking, keep_warm
from services.gateway.wiring.routes import include_routes
from shared.bounded_protocol import bounded
from shared.clock import utc_now
from shared.privacy.mask import masking
from shared.producer import Producer
from shared.reckoner import Reckoner, ReckoningError, UnanswerableError
from shared.reporter import Reporter
from shared.runtime import serve_until_told
from shared.stores import LazyPostgres, connect_redis
from shared.tasks import end

MOST_HEAD_BYTES = 32 * 1024
"""Of a request's head, before anything is read of it; what is well formed is bounded closer."""


def create_app(settings: GatewaySettings) -> FastAPI:
    """The whole gateway as an ASGI app; nothing is connected before it starts."""
    postgres = LazyPostgres(settings.postgres_dsn, service="gateway")
    client = connect_redis(settings.redis_url, cluster=settings.redis_cluster)
    recorder = recorder_of(settings)
    sessions = Sessions(postgres, recorder)
    store, alerts, health = (
        PostgresReads(sessions),
        PostgresAlerts(sessions),
        PostgresHealth(sessions),
    )
    views = RedisReads(client, settings.topic_partitions)
    producer = Producer(settings.connection, idempotence=settings.kafka_idempotence)
    publisher, reckoner = Publisher(producer, settings.signer), Reckoner()
    experiments = experiments_of(settings, sessions)
    access = access_of(settings, sessions, store, views)
    checks = {"kafka": publisher.ping, "postgres": store.ping, "redis": views.ping}

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        reporter = Reporter("gateway", client, utc_now, depth=lambda: app.state.gate.under_way)
        jobs_of_its_own = (app.state.anchoring.run, access.uses.run, *erasing)
        work = (keep_warm(checks), reporter.run(), *(job() for job in jobs_of_its_own))
        jobs = [asyncio.ensure_future(one) for one in work]
        async with texts.masked(masking(settings)), experiments.at_work():
            yield
        await end(jobs)
        await access.close()
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
        docs_url=None,
        redoc_url=None,
    )
    access.install(app, settings.public_url)
    install_limits(app, settings, client, views)
    install_intake(app, settings, publisher)
    app.state.limits = Limits(health)
    rows = PostgresRows(sessions)
    by_rows = RowReading(rows, store, health.book, utc_now)
    app.state.reading = Reading(views, store, by_rows, health.book, utc_now)
    app.state.condition = Condition(views, store, health.book, health, utc_now)
    app.state.store, app.state.alerts, app.state.health = store, alerts, health
    install_alerts(app, settings, PostgresNotifications(sessions), Trial(store, rows, utc_now))
    ask, kept_s = partial(_ask, reckoner), settings.metrics_cache_ttl_s
    app.state.forecasting = Forecasting(store, ask, utc_now, kept_s)
    app.state.statistics = Statistics(store, health.book, ask, utc_now, kept_s)
    app.state.analysing = Analysing(PostgresAnalysis(sessions), ask, utc_now, kept_s)
    app.state.readiness, app.state.pulse = Looking(checks), Pulse(store, utc_now)
    install_streams(app, settings, views, sessions)
    install_audit(app, settings, PostgresAudit(sessions), recorder)
    experiments.install(app)
    texts = install_reviews(app, PostgresReviews(sessions), ask)
    for_exports = install_training(app, settings, sessions)
    erasing = install_privacy(app, settings, postgres, sessions, publisher)
    app.state.planning, app.state.views = Planning(experiments.store, ask, utc_now), views
    include_routes(app, settings)
    return app


async def run(settings: GatewaySettings) -> None:
    """Serve until told to stop."""
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        host=settings.gateway_host,
        port=settings.gateway_port,
        log_level="warning",
        log_config=None,  # its own would write past our log, and past what that hides
        access_log=False,
        timeout_graceful_shutdown=15,
        server_header=False,
        ws="none",
        http=bounded(settings.gateway_most_connections),
        h11_max_incomplete_event_size=MOST_HEAD_BYTES,
    )
    # What is there by now stays: no collection need look at it again, and a million rows of an
    # export cause many.
    gc.collect()
    gc.freeze()
    await serve_until_told(config, app.state.streams.end)


async def _ask(reckoner: Reckoner, question: str) -> dict[str, Any]:
    try:
        return await reckoner.ask(question)
    except ReckoningError as error:
        raise AwayError("reckoning", f"it cannot be reckoned right now: {error}") from error
    except UnanswerableError as error:
        raise Problem("conflict", f"These numbers cannot be reckoned with: {error}.") from error
