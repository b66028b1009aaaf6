"""The audit log: who did what, and whether it is whole."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from services.gateway.domain.audit import EXAMPLE, Asked, AuditPage, VerifyAnswer, row_view
from services.gateway.domain.quotas import Kind
from services.gateway.routes.access import allows, principal
from services.gateway.routes.bounds import lasting
from services.gateway.routes.objects import Text, answer, example
from services.gateway.routes.paging import At, Limit, next_after_name, page_after_name
from services.gateway.routes.querying import Instant

VERIFY_WITHIN_S = 600
"""Hashes of a million rows alone take 10 s of a core; others may take 45 s by default."""
OBJECT = "A type of object, as `silence`, or one object, as `silence:0199f2c4-…`."


def audit_routes() -> APIRouter:
    """Routes of the audit log."""
    router = APIRouter(tags=["audit"])

    @router.get(
        "/ai/audit",
        response_model=AuditPage,
        summary="What was done to what by whom, newest first",
        responses=example({"items": [EXAMPLE], "next_cursor": None}),
        **allows("audit:read"),
    )
    async def rows(  # noqa: PLR0913, PLR0917 - one parameter per query parameter
        request: Request,
        actor: Text = None,
        action: Text = None,
        of: Annotated[str | None, Query(alias="object", max_length=640, description=OBJECT)] = None,
        start: Annotated[Instant | None, Query(alias="from")] = None,
        end: Annotated[Instant | None, Query(alias="to")] = None,
        limit: Limit = 50,
        cursor: At = None,
    ) -> Response:
        tenant_id, after = principal(request).tenant_id, page_after_name(request, cursor)
        before = None if after is None else int(after)
        kind, has_id, identity = (of or "").partition(":")
        asked = Asked(actor, action, kind or None, identity if has_id else None, start, end)
        found = await request.app.state.audit.rows(tenant_id, asked, before, limit + 1)
        shown, following = found[:limit], None
        if len(found) > limit:
            following = next_after_name(request, str(shown[-1].sequence))
        return answer({"items": [row_view(row) for row in shown], "next_cursor": following})

    @router.get(
        "/ai/audit/verify",
        response_model=VerifyAnswer,
        summary="Whether the audit log is whole, and where it is first broken",
        **allows("audit:read", Kind.HEAVY),
    )
    async def verify(request: Request) -> Response:
        lasting(request, VERIFY_WITHIN_S)
        return answer(await request.app.state.auditing.verify(principal(request).tenant_id))

    return router
