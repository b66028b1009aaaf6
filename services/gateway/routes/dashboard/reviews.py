"""Review queues: how far they are, and how far their reviewers agree."""

from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.gateway.domain.dashboard.wording import interval, plain
from services.gateway.domain.quotas import Kind
from services.gateway.domain.reviews import queue_view
from services.gateway.routes.access import principal
from services.gateway.routes.dashboard.choices import PageLimit
from services.gateway.routes.dashboard.showing import show, shows
from services.gateway.routes.paging import At, next_cursor, page_after


def review_pages() -> APIRouter:
    """Pages of queues."""
    router = APIRouter(include_in_schema=False)

    @router.get("/reviews", **shows("feedback:read"))
    async def queues(request: Request, limit: PageLimit = 50, cursor: At = None) -> Response:
        after, tenant_id = page_after(request, cursor), principal(request).tenant_id
        rows = await request.app.state.reviews.queues(tenant_id, after, limit + 1)
        following = next_cursor(request, rows, limit, "created_at", "queue_id")
        found = [queue_view(row) for row in rows[:limit]]
        return show(request, "reviews.html", queues=found, following=following)

    @router.get("/reviews/{queue_id}", **shows("feedback:read", Kind.HEAVY))
    async def queue(request: Request, queue_id: UUID) -> Response:
        tenant_id = principal(request).tenant_id
        found = await request.app.state.reviewing.queue(tenant_id, queue_id)
        agreed = [
            (name, one, interval(one, plain, f"{one['items']:,} operations that two reviewed"))
            for name, one in found["agreement"].items()
        ]
        return show(request, "review.html", queue=found, agreed=agreed)

    return router
