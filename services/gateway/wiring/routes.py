"""All routes, in the order in which they are looked at, and what is around them."""

from fastapi import FastAPI

from services.gateway.routes.access import require_declared
from services.gateway.routes.alerts import alert_routes
from services.gateway.routes.analysis import analysis_routes
from services.gateway.routes.assignment import assignment_routes
from services.gateway.routes.audit import audit_routes
from services.gateway.routes.bounds import Bound, Bounds
from services.gateway.routes.cors import install_cors
from services.gateway.routes.dashboard.assets import read_assets
from services.gateway.routes.dashboard.routes import dashboard_routes
from services.gateway.routes.dashboard.showing import Pages
from services.gateway.routes.datasets import dataset_routes
from services.gateway.routes.documenting import install_document
from services.gateway.routes.errors import install_errors
from services.gateway.routes.experiments import experiment_routes
from services.gateway.routes.exporting import exporting_routes
from services.gateway.routes.feedback import feedback_routes
from services.gateway.routes.health import health_routes
from services.gateway.routes.keys import key_routes
from services.gateway.routes.limits import limits_routes
from services.gateway.routes.middleware import Around
from services.gateway.routes.notifications import notification_routes
from services.gateway.routes.otlp import otlp_routes
from services.gateway.routes.pages import page_routes
from services.gateway.routes.privacy import privacy_routes
from services.gateway.routes.reading import reading_routes
from services.gateway.routes.reckoning import reckoning_routes
from services.gateway.routes.retention import retention_routes
from services.gateway.routes.reviews import review_routes
from services.gateway.routes.sessions import session_routes
from services.gateway.routes.stream import stream_routes
from services.gateway.routes.system import system_routes
from services.gateway.routes.training import training_routes
from services.gateway.routes.writing import writing_routes
from services.gateway.settings import GatewaySettings


def include_routes(app: FastAPI, settings: GatewaySettings) -> None:
    """Every route; the gateway does not start with one that declares no permission."""
    app.include_router(writing_routes())
    app.include_router(otlp_routes())
    app.include_router(reckoning_routes())  # before the metrics of any model, however it is named
    app.include_router(reading_routes())
    app.include_router(stream_routes())
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
    app.include_router(audit_routes())
    app.include_router(key_routes())
    app.include_router(session_routes())
    app.include_router(page_routes())
    app.state.pages = Pages(read_assets())
    app.include_router(dashboard_routes())
    app.include_router(privacy_routes())
    app.include_router(retention_routes())
    app.include_router(system_routes(settings.docs_dir, metrics_public=settings.metrics_public))
    require_declared(app)
    _surround(app, settings)


def _surround(app: FastAPI, settings: GatewaySettings) -> None:
    """What is around every route, from the inside outwards."""
    install_document(app)
    install_errors(app)
    app.add_middleware(Bounds, bound=Bound(settings.gateway_most_reads, settings.gateway_within_s))
    install_cors(app, settings.gateway_cors_origins.split())
    app.add_middleware(Around, https=settings.gateway_https)
