"""How the installation does."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.gateway.routes.dashboard.showing import show, shows
from services.gateway.routes.system import SERVICES
from shared.clock import utc_now


def system_pages() -> APIRouter:
    """The page of processes."""
    router = APIRouter(include_in_schema=False)

    @router.get("/system", **shows("system:read"))
    async def system(request: Request) -> Response:
        now = utc_now()
        reports = await request.app.state.views.reports(now)
        missing = sorted(set(SERVICES) - {one.service for one in reports})
        states = await request.app.state.readiness()
        content = {"reports": reports, "missing": missing, "states": states}
        return show(request, "system.html", as_of=now, **content)

    return router
