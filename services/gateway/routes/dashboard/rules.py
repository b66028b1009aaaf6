"""Alert rules: the list, the editor, and what a rule would do now."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic_core import to_json

from services.gateway.domain.alerts import rule_view
from services.gateway.domain.dashboard.alerts import observed, question, scope
from services.gateway.domain.dashboard.rule_form import asked_in, rule_of
from services.gateway.domain.problems import Problem
from services.gateway.domain.quotas import Kind
from services.gateway.routes.access import principal
from services.gateway.routes.bodies import parsed
from services.gateway.routes.dashboard.choices import EMPTY, PageLimit
from services.gateway.routes.dashboard.editing import Editor, editor, told_at
from services.gateway.routes.dashboard.showing import show, shows
from services.gateway.routes.paging import At, next_cursor, page_after
from services.gateway.service.alerting import no_rule
from shared.alerts.rule import AlertRule

RuleId = Annotated[UUID | None, EMPTY, Query()]


def rule_pages() -> APIRouter:
    """Pages of rules."""
    router = APIRouter(include_in_schema=False)
    _list_page(router)
    _editor_pages(router)
    _trial_pages(router)
    return router


def _list_page(router: APIRouter) -> None:
    @router.get("/rules", **shows("alerts:read"))
    async def rules(request: Request, limit: PageLimit = 50, cursor: At = None) -> Response:
        after, tenant_id = page_after(request, cursor), principal(request).tenant_id
        rows = await request.app.state.alerts.rules(tenant_id, after, limit + 1)
        following = next_cursor(request, rows, limit, "created_at", "rule_id")
        found = [rule_view(row) for row in rows[:limit]]
        shown = [(one, question(one), scope(one)) for one in found]
        return show(request, "rules.html", rules=shown, following=following)


def _editor_pages(router: APIRouter) -> None:
    @router.get("/rules/new", **shows("alerts:write"))
    async def new(request: Request) -> Response:
        return await editor(request, Editor(None))

    # Before the page of one rule, whose path it would be.
    @router.get("/rules/preview", **shows("alerts:write", Kind.HEAVY))
    async def preview(
        request: Request, rule: str | None = None, rule_id: RuleId = None
    ) -> Response:
        if rule is None:
            return await _tried(request, rule_id)
        wanted = parsed(rule.encode(), AlertRule)
        found = await request.app.state.alerting.preview(principal(request).tenant_id, wanted)
        return show(request, "trial.html", **_trial(wanted, found))

    @router.get("/rules/{rule_id}", **shows("alerts:read"))
    async def rule(request: Request, rule_id: UUID) -> Response:
        return await editor(request, Editor(await _kept(request, rule_id)))


def _trial_pages(router: APIRouter) -> None:
    @router.get("/rules/{rule_id}/trial", **shows("alerts:write", Kind.HEAVY))
    async def trial(request: Request, rule_id: UUID) -> Response:
        found = await request.app.state.alerting.test(principal(request).tenant_id, rule_id)
        kept = AlertRule.model_validate_json((await _row(request, rule_id))["body"])
        return show(request, "trial.html", **_trial(kept, found))


async def _tried(request: Request, rule_id: UUID | None) -> Response:
    """The editor as a browser without a script sends it, with what the rule would do."""
    kept = None if rule_id is None else await _kept(request, rule_id)
    shown = Editor(kept, asked_in(request.query_params.multi_items()))
    try:
        body = rule_of(shown.form, shown.kinds)
        wanted = parsed(to_json(body), AlertRule)
        found = await request.app.state.alerting.preview(principal(request).tenant_id, wanted)
    except Problem as problem:
        if not problem.errors:
            raise
        return await editor(request, shown, said=told_at(problem), status=problem.status)
    return await editor(request, shown, found={"body": body, **_trial(wanted, found)})


async def _kept(request: Request, rule_id: UUID) -> dict[str, Any]:
    return rule_view(await _row(request, rule_id))


async def _row(request: Request, rule_id: UUID) -> Any:
    row = await request.app.state.alerts.rule(principal(request).tenant_id, rule_id)
    if row is None:
        raise no_rule(rule_id)
    return row


def _trial(rule: AlertRule, found: dict[str, Any]) -> dict[str, Any]:
    groups = [(one, observed(one, rule.metric)) for one in found["groups"]]
    silence = rule.window if rule.no_data == "alert" else None
    return {"groups": groups, "as_of": found["as_of"], "silence": silence}
