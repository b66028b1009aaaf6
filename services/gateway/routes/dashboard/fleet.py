"""All models of a tenant, as they do right now."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.gateway.domain.dashboard.fleet import line
from services.gateway.routes.access import principal
from services.gateway.routes.dashboard.choices import PageLimit
from services.gateway.routes.dashboard.showing import show, shows
from services.gateway.routes.paging import At, next_after_name, page_after_name

Recent = dict[str, list[int]] | None


def fleet_routes() -> APIRouter:
    """The page of models."""
    router = APIRouter(include_in_schema=False)

    @router.get("/fleet", **shows("metrics:read"))
    async def fleet(request: Request, limit: PageLimit = 50, cursor: At = None) -> Response:
        after, tenant_id = page_after_name(request, cursor), principal(request).tenant_id
        found, stale = await request.app.state.reading.models(tenant_id)
        rest = [one for one in found if after is None or one["model_id"] > after]
        recent: Recent = await request.app.state.pulse.of(tenant_id)
        lines = [
            line(one, None if recent is None else recent.get(one["model_id"], ()))
            for one in rest[:limit]
        ]
        more = len(rest) > limit
        following = next_after_name(request, lines[-1].model_id) if more else None
        return show(request, "fleet.html", lines=lines, stale=stale, following=following)

    return router
