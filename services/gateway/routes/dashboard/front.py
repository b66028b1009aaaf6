"""The door of the dashboard: whoever is logged in is led on, others log in."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from services.gateway.domain.dashboard.navigation import first_page
from services.gateway.domain.problems import Problem
from services.gateway.routes import cookies
from services.gateway.routes.dashboard.showing import PUBLIC_PAGE, show_login, show_outside
from services.gateway.service.logins import Login

LED_ON = 303


def front_routes() -> APIRouter:
    """The route `/`, which is for everybody."""
    router = APIRouter(include_in_schema=False)

    @router.get("/", openapi_extra=PUBLIC_PAGE)
    async def front(request: Request) -> Response:
        cookie = cookies.presented(request, cookies.SESSION)
        if cookie is None:
            return show_login(request)
        try:
            login: Login = await request.app.state.logins.read(cookie)
        except Problem:
            return show_login(request)
        page = first_page(login.who.permissions)
        if page is None:
            return show_outside(request, "nothing.html", actor=login.who.actor)
        return RedirectResponse(page, LED_ON)

    return router
