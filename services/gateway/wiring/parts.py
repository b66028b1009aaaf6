"""Wires what routes ask, part by part."""

from collections.abc import Sequence
from functools import partial

from fastapi import FastAPI

from services.gateway.domain.cursor import Seal
from services.gateway.publisher import Publisher
from services.gateway.queries.subject_classes import DESCRIBED
from services.gateway.service.alerting import Alerting
from services.gateway.service.auditing import Anchoring, Auditing
from services.gateway.service.erasing import Erasing, ErasureTeller
from services.gateway.service.exporting import Exporting
from services.gateway.service.freezing import Freezing
from services.gateway.service.gate import Gate
from services.gateway.service.intake import Intake
from services.gateway.service.notifying import Notifying
from services.gateway.service.once import Once
from services.gateway.service.quotas import Quotas
from services.gateway.service.reviewing import Ask, Reviewing, Texts
from services.gateway.service.streams import Streams
from services.gateway.service.subject_exporting import SubjectExporting
from services.gateway.service.telemetry import Telemetry
from services.gateway.service.trying import Trial
from services.gateway.settings import GatewaySettings
from services.gateway.store import erasures as own_erasures
from services.gateway.store.audit import PostgresAudit
from services.gateway.store.datasets import PostgresDatasets
from services.gateway.store.erasures import PostgresErasures
from services.gateway.store.exporting import PostgresExports
from services.gateway.store.notifications import PostgresNotifications
from services.gateway.store.quotas import RedisBuckets
from services.gateway.store.redis import RedisReads
from services.gateway.store.retention import PostgresRetention
from services.gateway.store.reviews import PostgresReviews
from services.gateway.store.sessions import Sessions
from services.gateway.store.stream import PostgresStream
from services.gateway.store.subject_exports import PostgresSubjectExports
from services.gateway.store.training import PostgresTraining
from shared import clock
from shared.audit.anchor_file import AnchorFile, lines_of
from shared.audit.recorder import Recorder
from shared.clock import utc_now
from shared.delivery.redis import Client
from shared.ids import new_id
from shared.privacy.eraser import Eraser
from shared.privacy.names import Names
from shared.pseudonym import pseudonym
from shared.runtime import Job, keep_running
from shared.stores import LazyPostgres


def install_limits(
    app: FastAPI, settings: GatewaySettings, client: Client, views: RedisReads
) -> None:
    """What a caller and all of them together may ask for."""
    app.state.once = Once(views, settings.secret_for(b"idempotency"))
    app.state.seal = Seal(settings.cursor_keys())
    app.state.quotas = Quotas(RedisBuckets(client), settings.quotas(), clock.monotonic)
    app.state.gate = Gate(
        settings.gateway_most_requests, settings.gateway_most_bytes, clock.monotonic
    )


def install_intake(app: FastAPI, settings: GatewaySettings, publisher: Publisher) -> None:
    """Events, however they come."""
    app.state.intake = Intake(publisher.publish, settings.topic_prefix, utc_now, new_id)
    app.state.telemetry = Telemetry(app.state.intake, settings.otlp_content, utc_now)


def install_alerts(
    app: FastAPI, settings: GatewaySettings, notifications: PostgresNotifications, trial: Trial
) -> None:
    """Alerts, their rules, and who is told."""
    app.state.notifications = notifications
    known = notifications.known_channels
    app.state.alerting = Alerting(app.state.alerts, known, trial, utc_now, new_id)
    allow_private = settings.notify_allow_private
    app.state.notifying = Notifying(notifications, utc_now, new_id, allow_private=allow_private)


def install_streams(
    app: FastAPI, settings: GatewaySettings, views: RedisReads, sessions: Sessions
) -> None:
    """Changes as they happen."""
    app.state.streams = Streams(views, PostgresStream(sessions), settings.streams())


def recorder_of(settings: GatewaySettings) -> Recorder:
    """Who writes the audit log."""
    return Recorder(settings.audit_keys(settings.secret_key), partial(pseudonym, settings.secret))


def install_audit(
    app: FastAPI, settings: GatewaySettings, audit: PostgresAudit, recorder: Recorder
) -> None:
    """The audit log, and its heads outside the database."""
    path, keys = settings.audit_anchor_file, recorder.keys
    file = None if path is None else AnchorFile(path, keys)
    app.state.audit, app.state.anchoring = audit, Anchoring(audit, file, utc_now)
    app.state.auditing = Auditing(
        audit, keys, app.state.anchoring, lambda: iter(()) if path is None else lines_of(path)
    )
    app.state.pseudonym = partial(pseudonym, settings.secret)


def install_reviews(app: FastAPI, reviews: PostgresReviews, ask: Ask) -> Texts:
    """Queues of reviewers; answers what keeps their texts, which has no mask before the start."""
    app.state.new_id, app.state.reviews = new_id, reviews
    texts = Texts(reviews.is_content_free)
    app.state.reviewing = Reviewing(reviews, app.state.intake, ask, utc_now, texts)
    return texts


def install_privacy(
    app: FastAPI,
    settings: GatewaySettings,
    postgres: LazyPostgres,
    sessions: Sessions,
    publisher: Publisher,
) -> Sequence[Job]:
    """Erasures and exports; answers what is to run beside the answers."""
    names = Names(settings.secret)
    store = PostgresErasures(sessions)
    app.state.erasures = store
    app.state.erasing = Erasing(store, names, utc_now, new_id, settings.privacy_deadline_s)
    teller = ErasureTeller(store, publisher.publish, settings.topic_prefix)
    eraser = Eraser(
        "gateway",
        postgres.pool,
        {"postgres": own_erasures.erase, "redis": own_erasures.forget_answers},
        own_erasures.erase_noted,
    )
    app.state.retention = PostgresRetention(sessions, utc_now)
    exports = PostgresSubjectExports(sessions, names)
    exporting = SubjectExporting(exports, names, utc_now, new_id, dict(DESCRIBED))
    app.state.subject_exports, app.state.subject_exporting = exports, exporting
    jobs = (teller.run, teller.watch, exporting.make, exporting.end)
    return *jobs, partial(keep_running, eraser.run)


def install_training(app: FastAPI, settings: GatewaySettings, sessions: Sessions) -> LazyPostgres:
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
    limits = most, settings.gateway_export_most_s
    app.state.exporting = Exporting(rows, datasets, app.state.audit.reads, *limits)
    return for_exports
