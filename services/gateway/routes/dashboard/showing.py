"""How pages are made: who may see one, what stands around it, and what it may run."""

from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.gateway.domain.dashboard import wording
from services.gateway.domain.dashboard.drawing import HEIGHT, WIDTH
from services.gateway.domain.dashboard.navigation import allowed
from services.gateway.domain.problems import Problem
from services.gateway.domain.quotas import Kind
from services.gateway.routes.access import PUBLIC, allows, principal
from services.gateway.routes.dashboard.assets import Asset
from shared.clock import utc_now

TEMPLATES: Final = Path(__file__).parent / "templates"
PAGE: Final = {"x-page": True}
PUBLIC_PAGE: Final = PUBLIC | PAGE
POLICY: Final = (
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'"
)
"""Own scripts and styles from own addresses; nothing that stands in a page runs."""
HTML: Final = "text/html"
DATA: Final = ("/ai/", "/v1/", "/ofrep/", "/auth/", "/schemas/")
"""Below these there are no pages: whoever asks there wants problems as JSON."""
SIGNED_OUT: Final = 401
MOST_FOLLOWING: Final = 512
"""Characters of `next` that the login takes."""


class Pages:
    """Templates and files of the dashboard."""

    def __init__(self, assets: dict[str, Asset]) -> None:
        self.assets = assets
        self._templates = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,  # every text here is somebody's
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,  # they do not change while we run
        )
        self._templates.globals |= {
            "asset": lambda name: self.assets[name].path,
            "words": wording,
            "SPARK": (WIDTH, HEIGHT),
        }

    def shown(
        self, name: str, around: dict[str, Any], content: dict[str, Any], status: int = 200
    ) -> HTMLResponse:
        """A template as an answer."""
        text = self._templates.get_template(name).render(**around, **content)
        headers = {"Content-Security-Policy": POLICY, "Vary": "Cookie, Authorization"}
        return HTMLResponse(text, status, headers=headers)


def shows(permission: str, kind: Kind | None = None) -> dict[str, Any]:
    """Arguments of a page that needs `permission`, as its data does."""
    declared = allows(permission, kind)
    declared["openapi_extra"] |= PAGE
    return declared


def show(request: Request, name: str, **content: Any) -> HTMLResponse:
    """A page for who asked, with what they may open."""
    pages: Pages = request.app.state.pages
    who = principal(request)
    around = {
        "path": request.scope["path"],
        "query": request.query_params,
        "entries": allowed(who.permissions),
        "may": who.permissions,
        "tenant": who.tenant_id,
        "actor": who.actor,
        "now": utc_now(),
    }
    return pages.shown(name, around, content)


def show_outside(request: Request, name: str, status: int = 200, **content: Any) -> HTMLResponse:
    """A page for whoever it is: nothing of a tenant is on it."""
    pages: Pages = request.app.state.pages
    nobody: dict[str, Any] = {"entries": [], "may": frozenset(), "tenant": None}
    place = {"path": request.scope["path"], "query": request.query_params, "now": utc_now()}
    around = nobody | place
    return pages.shown(name, around, content, status)


def show_login(request: Request, status: int = 200) -> HTMLResponse:
    """Where one logs in; then the page that was asked for is loaded again."""
    content = {
        "has_provider": request.app.state.signing_in is not None,
        "following": _asked(request),
    }
    return show_outside(request, "login.html", status, **content)


def _asked(request: Request) -> str:
    """The address that was asked for, as it is written; without its query if that is too long."""
    path, given = quote(request.scope["path"]), str(request.query_params)
    whole = f"{path}?{given}" if given else path
    return whole if len(whole) <= MOST_FOLLOWING else path


def wants_page(request: Request) -> bool:
    """Whether a person's browser asks: for one of our pages, or for what is nowhere."""
    route = request.scope.get("route")
    if route is not None:
        extra = getattr(route, "openapi_extra", None) or {}
        return bool(extra.get("x-page"))
    path, accepted = request.url.path, request.headers.get("accept", "")
    return request.method == "GET" and HTML in accepted and not path.startswith(DATA)


def show_problem(request: Request, problem: Problem) -> HTMLResponse:
    """A problem for people; to who is not logged in, the login in its place."""
    if problem.status == SIGNED_OUT:
        page = show_login(request, SIGNED_OUT)
    else:
        said = problem.body() | {"request_id": request.state.request_id}
        page = show_outside(request, "problem.html", problem.status, problem=said)
    page.headers.update(problem.headers)
    return page
