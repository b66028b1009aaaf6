"""Alerts: the list, one with its history, and silences."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from services.gateway.domain.alerts import alert_view
from services.gateway.domain.dashboard.alerts import LIVE, TAKEABLE, observed
from services.gateway.domain.notifications import silence_view
from services.gateway.routes.access import principal
from services.gateway.routes.dashboard.choices import EMPTY, PageLimit, Words
from services.gateway.routes.dashboard.showing import show, shows
from services.gateway.routes.paging import At, next_cursor, page_after
from services.gateway.service.alerting import no_alert
from shared.clock import utc_now

State = Annotated[Literal["pending", "firing", "acknowledged", "resolved"] | None, EMPTY, Query()]
Severity = Annotated[Literal["warning", "critical"] | None, EMPTY, Query()]


def alert_pages() -> APIRouter:
    """Pages of alerts."""
    router = APIRouter(include_in_schema=False)

    @router.get("/alerts", **shows("alerts:read"))
    async def alerts(
        request: Request,
        state: State = None,
        severity: Severity = None,
        model_id: Words = None,
        limit: PageLimit = 50,
        cursor: At = None,
    ) -> Response:
        filters = {"state": state, "severity": severity, "model_id": model_id}
        after, tenant_id = page_after(request, cursor), principal(request).tenant_id
        rows = await request.app.state.alerts.alerts(tenant_id, filters, after, limit + 1)
        following = next_cursor(request, rows, limit, "started_at", "alert_id")
        found = [alert_view(row) for row in rows[:limit]]
        rules = sorted({one["rule_id"] for one in found})
        metrics = await request.app.state.alerts.metrics_of_rules(tenant_id, rules)
        shown = [(one, observed(one, metrics.get(one["rule_id"]))) for one in found]
        return show(request, "alerts.html", alerts=shown, following=following, asked=filters)

    @router.get("/alerts/{alert_id}", **shows("alerts:read"))
    async def alert(request: Request, alert_id: UUID) -> Response:
        tenant_id, stored = principal(request).tenant_id, request.app.state.alerts
        found = await stored.alert(tenant_id, alert_id)
        if found is None:
            raise no_alert(alert_id)
        shown = alert_view(found[0])
        metrics = await stored.metrics_of_rules(tenant_id, [shown["rule_id"]])
        return show(
            request,
            "alert.html",
            alert=shown,
            observed=observed(shown, metrics.get(shown["rule_id"])),
            history=[dict(step) for step in found[1]],
            is_live=shown["state"] in LIVE,
            is_takeable=shown["state"] in TAKEABLE,
        )

    @router.get("/silences", **shows("alerts:read"))
    async def silences(request: Request, limit: PageLimit = 50, cursor: At = None) -> Response:
        after, tenant_id = page_after(request, cursor), principal(request).tenant_id
        rows = await request.app.state.notifications.silences(tenant_id, after, limit + 1)
        following = next_cursor(request, rows, limit, "created_at", "silence_id")
        found = [silence_view(row) for row in rows[:limit]]
        now = utc_now()
        shown = [(one, one["starts_at"] <= now < one["ends_at"]) for one in found]
        return show(request, "silences.html", silences=shown, following=following)

    return router
