"""Alert rules, and the alerts that came of them."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from services.gateway.domain.alerts import (
    Acknowledgement,
    AlertsPage,
    AlertView,
    KeptRule,
    NameTakenError,
    Resolution,
    RulesPage,
    Trials,
    WholeAlert,
    alert_view,
    rule_view,
)
from services.gateway.domain.problems import wrong_field
from services.gateway.domain.quotas import Kind
from services.gateway.routes.access import allows, principal
from services.gateway.routes.objects import (
    CREATED,
    GONE,
    Text,
    actor,
    answer,
    removed,
    writes,
    written,
)
from services.gateway.routes.paging import At, Limit, next_cursor, page_after
from services.gateway.routes.querying import Instant
from services.gateway.service.alerting import no_alert, no_rule
from shared.alerts.rule import AlertRule


def alert_routes() -> APIRouter:
    """Routes of rules and alerts."""
    router = APIRouter(tags=["alerts"])
    _rule_routes(router)
    _alert_routes(router)
    return router


def _rule_routes(router: APIRouter) -> None:
    @router.get(
        "/ai/alert-rules",
        response_model=RulesPage,
        summary="Alert rules, newest first",
        **allows("alerts:read"),
    )
    async def rules(request: Request, limit: Limit = 50, cursor: At = None) -> Response:
        after = page_after(request, cursor)
        rows = await request.app.state.alerts.rules(principal(request).tenant_id, after, limit + 1)
        following = next_cursor(request, rows, limit, "created_at", "rule_id")
        items = [rule_view(row) for row in rows[:limit]]
        return answer({"items": items, "next_cursor": following})

    @router.post(
        "/ai/alert-rules",
        status_code=CREATED,
        response_model=KeptRule,
        summary="Make an alert rule",
        **writes("alerts:write", AlertRule),
    )
    async def add(request: Request) -> Response:
        async def do(rule: AlertRule) -> Any:
            tenant_id = principal(request).tenant_id
            try:
                return await request.app.state.alerting.add(tenant_id, rule, actor(request))
            except NameTakenError as error:
                raise _taken() from error

        return await written(request, AlertRule, do, CREATED)

    @router.get(
        "/ai/alert-rules/{rule_id}",
        response_model=KeptRule,
        summary="One alert rule",
        **allows("alerts:read"),
    )
    async def rule(request: Request, rule_id: UUID) -> Response:
        row = await request.app.state.alerts.rule(principal(request).tenant_id, rule_id)
        if row is None:
            raise no_rule(rule_id)
        return answer(rule_view(row))

    @router.put(
        "/ai/alert-rules/{rule_id}",
        response_model=KeptRule,
        summary="Put an alert rule in another's place",
        **writes("alerts:write", AlertRule),
    )
    async def replace(request: Request, rule_id: UUID) -> Response:
        async def do(rule: AlertRule) -> Any:
            tenant_id = principal(request).tenant_id
            try:
                return await request.app.state.alerting.replace(tenant_id, rule_id, rule)
            except NameTakenError as error:
                raise _taken() from error

        return await written(request, AlertRule, do)

    @router.delete(
        "/ai/alert-rules/{rule_id}",
        status_code=GONE,
        summary="Remove an alert rule; its alerts end",
        **writes("alerts:write"),
    )
    async def delete(request: Request, rule_id: UUID) -> Response:
        async def do() -> None:
            alerts = request.app.state.alerts
            if not await alerts.delete_rule(principal(request).tenant_id, rule_id):
                raise no_rule(rule_id)

        return await removed(request, do)

    @router.post(
        "/ai/alert-rules/{rule_id}/test",
        response_model=Trials,
        summary="What a rule would do right now; nobody is told",
        **allows("alerts:write", Kind.HEAVY),
    )
    async def test(request: Request, rule_id: UUID) -> Response:
        tenant_id = principal(request).tenant_id
        return answer(await request.app.state.alerting.test(tenant_id, rule_id))


def _alert_routes(router: APIRouter) -> None:
    @router.get(
        "/ai/alerts",
        response_model=AlertsPage,
        summary="Alerts, newest first",
        **allows("alerts:read"),
    )
    async def alerts(  # noqa: PLR0913, PLR0917 - one parameter per query parameter
        request: Request,
        state: Literal["pending", "firing", "acknowledged", "resolved"] | None = None,
        severity: Literal["warning", "critical"] | None = None,
        model_id: Text = None,
        environment: Text = None,
        rule_id: UUID | None = None,
        start: Annotated[Instant | None, Query(alias="from")] = None,
        end: Annotated[Instant | None, Query(alias="to")] = None,
        limit: Limit = 50,
        cursor: At = None,
    ) -> Response:
        filters = {
            "state": state,
            "severity": severity,
            "model_id": model_id,
            "environment": environment,
            "rule_id": rule_id,
            "from": start,
            "to": end,
        }
        after = page_after(request, cursor)
        rows = await request.app.state.alerts.alerts(
            principal(request).tenant_id, filters, after, limit + 1
        )
        following = next_cursor(request, rows, limit, "started_at", "alert_id")
        items = [alert_view(row) for row in rows[:limit]]
        return answer({"items": items, "next_cursor": following})

    @router.get(
        "/ai/alerts/{alert_id}",
        response_model=WholeAlert,
        summary="One alert with its history",
        **allows("alerts:read"),
    )
    async def alert(request: Request, alert_id: UUID) -> Response:
        found = await request.app.state.alerts.alert(principal(request).tenant_id, alert_id)
        if found is None:
            raise no_alert(alert_id)
        return answer(alert_view(found[0]) | {"history": [dict(step) for step in found[1]]})

    @router.post(
        "/ai/alerts/{alert_id}/resolve",
        response_model=AlertView,
        summary="End an alert; if it is still bad, a new one begins",
        **writes("alerts:write", Resolution, may_be_empty=True),
    )
    async def resolve(request: Request, alert_id: UUID) -> Response:
        async def do(said: Resolution) -> Any:
            tenant_id, who = principal(request).tenant_id, actor(request)
            return await request.app.state.alerting.resolve(tenant_id, alert_id, said.note, who)

        return await written(request, Resolution, do, may_be_empty=True)

    @router.post(
        "/ai/alerts/{alert_id}/acknowledge",
        response_model=AlertView,
        summary="Take an alert over for a while; until then nobody is told again",
        **writes("alerts:write", Acknowledgement, may_be_empty=True),
    )
    async def acknowledge(request: Request, alert_id: UUID) -> Response:
        async def do(said: Acknowledgement) -> Any:
            tenant_id, who = principal(request).tenant_id, actor(request)
            return await request.app.state.alerting.acknowledge(tenant_id, alert_id, said, who)

        return await written(request, Acknowledgement, do, may_be_empty=True)


def _taken() -> Exception:
    return wrong_field("name", "another rule has this name; choose one of its own")
