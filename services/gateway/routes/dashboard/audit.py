"""The audit log, and whether it is whole."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.gateway.domain.audit import Asked, row_view
from services.gateway.domain.quotas import Kind
from services.gateway.routes.access import principal
from services.gateway.routes.audit import VERIFY_WITHIN_S
from services.gateway.routes.bounds import lasting
from services.gateway.routes.dashboard.choices import PageLimit, Words
from services.gateway.routes.dashboard.showing import show, shows
from services.gateway.routes.paging import At, next_after_name, page_after_name


def audit_pages() -> APIRouter:
    """Pages of the audit log."""
    router = APIRouter(include_in_schema=False)

    @router.get("/audit", **shows("audit:read"))
    async def rows(
        request: Request,
        actor: Words = None,
        action: Words = None,
        limit: PageLimit = 50,
        cursor: At = None,
    ) -> Response:
        tenant_id, after = principal(request).tenant_id, page_after_name(request, cursor)
        before = None if after is None else int(after)
        asked = Asked(actor, action)
        found = await request.app.state.audit.rows(tenant_id, asked, before, limit + 1)
        shown, following = found[:limit], None
        if len(found) > limit:
            following = next_after_name(request, str(shown[-1].sequence))
        views = [row_view(one) for one in shown]
        return show(request, "audit.html", rows=views, following=following, asked=asked)

    @router.get("/audit/check", **shows("audit:read", Kind.HEAVY))
    async def check(request: Request) -> Response:
        lasting(request, VERIFY_WITHIN_S)
        found = await request.app.state.auditing.verify(principal(request).tenant_id)
        return show(request, "check.html", found=found)

    return router
