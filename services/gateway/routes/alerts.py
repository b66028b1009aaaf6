"""Alert rules, and the alerts that came of them."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import AwareDatetime, BaseModel
from pydantic_core import to_json

from services.gateway.domain.alerts import (
    Acknowledgement,
    AlertsPage,
    KeptRule,
    NameTakenError,
    Resolution,
    RulesPage,
    Trials,
    WholeAlert,
    alert_view,
    rule_view,
)
from services.gateway.domain.cursor import decode_cursor, next_cursor
from services.gateway.domain.problems import wrong_field
from services.gateway.routes.access import allows, principal
from services.gateway.routes.bodies import described, read_body
from services.gateway.service.alerting import no_alert, no_rule
from shared.alerts.rule import AlertRule

CREATED, GONE = 201, 204
JSON = "application/json"
Limit = Annotated[int, Query(ge=1, le=1000)]
Text = Annotated[str | None, Query(max_length=128)]
At = Annotated[str | None, Query(max_length=256)]


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
        after = decode_cursor(cursor) if cursor else None
        rows = await request.app.state.alerts.rules(principal(request).tenant_id, after, limit + 1)
        following = next_cursor(rows, limit, "created_at", "rule_id")
        items = [rule_view(row) for row in rows[:limit]]
        return _answer({"items": items, "next_cursor": following})

    @router.post(
        "/ai/alert-rules",
        status_code=CREATED,
        response_model=KeptRule,
        summary="Make an alert rule",
        **_writes(AlertRule),
    )
    async def add(request: Request) -> Response:
        rule, who = await read_body(request, AlertRule), principal(request)
        try:
            made = await request.app.state.alerting.add(who.tenant_id, rule, _actor(request))
        except NameTakenError as error:
            raise _taken() from error
        return _answer(made, CREATED)

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
        return _answer(rule_view(row))

    @router.put(
        "/ai/alert-rules/{rule_id}",
        response_model=KeptRule,
        summary="Put an alert rule in another's place",
        **_writes(AlertRule),
    )
    async def replace(request: Request, rule_id: UUID) -> Response:
        rule, who = await read_body(request, AlertRule), principal(request)
        try:
            kept = await request.app.state.alerting.replace(who.tenant_id, rule_id, rule)
        except NameTakenError as error:
            raise _taken() from error
        return _answer(kept)

    @router.delete(
        "/ai/alert-rules/{rule_id}",
        status_code=GONE,
        summary="Remove an alert rule; its alerts end",
        **allows("alerts:write"),
    )
    async def delete(request: Request, rule_id: UUID) -> Response:
        if not await request.app.state.alerts.delete_rule(principal(request).tenant_id, rule_id):
            raise no_rule(rule_id)
        return Response(status_code=GONE)

    @router.post(
        "/ai/alert-rules/{rule_id}/test",
        response_model=Trials,
        summary="What a rule would do right now; nobody is told",
        **allows("alerts:write"),
    )
    async def test(request: Request, rule_id: UUID) -> Response:
        tenant_id = principal(request).tenant_id
        return _answer(await request.app.state.alerting.test(tenant_id, rule_id))


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
        start: Annotated[AwareDatetime | None, Query(alias="from")] = None,
        end: Annotated[AwareDatetime | None, Query(alias="to")] = None,
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
        after = decode_cursor(cursor) if cursor else None
        rows = await request.app.state.alerts.alerts(
            principal(request).tenant_id, filters, after, limit + 1
        )
        following = next_cursor(rows, limit, "started_at", "alert_id")
        items = [alert_view(row) for row in rows[:limit]]
        return _answer({"items": items, "next_cursor": following})

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
        return _answer(alert_view(found[0]) | {"history": [dict(step) for step in found[1]]})

    @router.post(
        "/ai/alerts/{alert_id}/resolve",
        summary="End an alert; if it is still bad, a new one begins",
        **_writes(Resolution),
    )
    async def resolve(request: Request, alert_id: UUID) -> Response:
        said = await read_body(request, Resolution)
        return _answer(
            await request.app.state.alerting.resolve(
                principal(request).tenant_id, alert_id, said.note, _actor(request)
            )
        )

    @router.post(
        "/ai/alerts/{alert_id}/acknowledge",
        summary="Take an alert over for a while; until then nobody is told again",
        **_writes(Acknowledgement),
    )
    async def acknowledge(request: Request, alert_id: UUID) -> Response:
        said = await read_body(request, Acknowledgement)
        return _answer(
            await request.app.state.alerting.acknowledge(
                principal(request).tenant_id, alert_id, said, _actor(request)
            )
        )


def _writes(model: type[BaseModel]) -> dict[str, Any]:
    declared = allows("alerts:write")
    declared["openapi_extra"] |= {"requestBody": described(model)}
    return declared


def _actor(request: Request) -> str:
    return f"key:{principal(request).key_id}"


def _taken() -> Exception:
    return wrong_field("name", "another rule has this name; choose one of its own")


def _answer(content: Any, status: int = 200) -> Response:
    return Response(to_json(content), status, media_type=JSON)
