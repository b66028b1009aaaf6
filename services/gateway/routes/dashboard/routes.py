"""All pages of the dashboard."""

from fastapi import APIRouter

from services.gateway.routes.dashboard.alerts import alert_pages
from services.gateway.routes.dashboard.assets import asset_routes
from services.gateway.routes.dashboard.audit import audit_pages
from services.gateway.routes.dashboard.experiments import experiment_pages
from services.gateway.routes.dashboard.feedback import feedback_pages
from services.gateway.routes.dashboard.fleet import fleet_routes
from services.gateway.routes.dashboard.front import front_routes
from services.gateway.routes.dashboard.live import live_pages
from services.gateway.routes.dashboard.model import model_routes
from services.gateway.routes.dashboard.reviews import review_pages
from services.gateway.routes.dashboard.rules import rule_pages
from services.gateway.routes.dashboard.system import system_pages
from services.gateway.routes.dashboard.training import training_pages

OUTSIDE = (asset_routes, front_routes)
INSIDE = (
    *(fleet_routes, model_routes, alert_pages, rule_pages, experiment_pages, feedback_pages),
    *(review_pages, training_pages, live_pages, system_pages, audit_pages),
)


def dashboard_routes() -> APIRouter:
    """Their routes; none is part of the API."""
    router = APIRouter()
    for one in (*OUTSIDE, *INSIDE):
        router.include_router(one())
    return router
