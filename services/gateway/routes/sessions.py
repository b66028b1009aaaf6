"""Login and logout of the dashboard: by an API key, or at the identity provider."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from services.gateway.domain.problems import Problem
from services.gateway.routes import cookies
from services.gateway.routes.access import PUBLIC
from services.gateway.routes.bodies import described, json_body, parsed
from services.gateway.routes.objects import CREATED, GONE, answer
from services.gateway.service.logins import LOGIN_WITHIN, Login
from services.gateway.service.shares import NOBODY, placed
from services.gateway.service.signing_in import SigningIn
from shared.clock import utc_now

SESSION, LOGIN, CALLBACK = "/auth/session", "/auth/login", "/auth/callback"
REFUSED: dict[int | str, dict[str, Any]] = {
    401: {"description": "No valid credential, or the session has ended."}
}
# Together they fit into a query (`bounds.MOST_QUERY`).
Code = Annotated[str | None, Query(max_length=4096)]
Given = Annotated[str | None, Query(max_length=1024)]


class KeyLogin(BaseModel):
    """Who logs in by a key."""

    model_config = ConfigDict(extra="forbid")

    key: Annotated[str, Field(max_length=256, description="An API key: assay_…")]


class SessionView(BaseModel):
    """Who is logged in, what they may do, and until when."""

    tenant: str
    actor: str
    permissions: list[str]
    expires_at: datetime


def session_routes() -> APIRouter:
    """Routes of sessions; none needs a permission."""
    router = APIRouter(tags=["sessions"])
    _session_routes(router)
    _provider_routes(router)
    return router


def _session_routes(router: APIRouter) -> None:
    @router.post(
        SESSION,
        status_code=CREATED,
        response_model=SessionView,
        responses=REFUSED
        | {400: {"description": "No JSON."}, 403: {"description": "Sent by another site."}}
        | {415: {"description": "Not JSON."}, 413: {"description": "Too large."}}
        | {422: {"description": "A field is wrong, and named."}},
        summary="Log in with an API key; answers a cookie",
        openapi_extra=PUBLIC | {"requestBody": described(KeyLogin)},
    )
    async def log_in(request: Request) -> Response:
        cookies.refuse_other_sites(request)
        placed(request.state, NOBODY)  # before a body that may come slowly
        # JSON is what no form of another site can send.
        given = parsed(await json_body(request, lambda _: None), KeyLogin)
        who = await request.app.state.admission.holder(given.key)
        cookie, login = request.app.state.logins.issue(who)
        response = answer(_view(login), CREATED)
        cookies.give(request, response, cookies.SESSION, cookie, _left_s(login))
        return response

    @router.get(
        SESSION,
        response_model=SessionView,
        responses=REFUSED,
        summary="Who is logged in",
        openapi_extra=PUBLIC,
    )
    async def session(request: Request) -> Response:
        return answer(_view(await _logged_in(request)))

    @router.delete(
        SESSION,
        status_code=GONE,
        responses={403: {"description": "Without the header X-Assay-CSRF."}},
        summary="Log out",
        openapi_extra=PUBLIC,
    )
    async def log_out(request: Request) -> Response:
        cookies.refuse_forged(request)
        response = Response(status_code=GONE)
        cookies.take(request, response, cookies.SESSION)
        await request.app.state.logins.end(cookies.presented(request, cookies.SESSION) or "")
        return response


def _provider_routes(router: APIRouter) -> None:
    @router.get(
        LOGIN,
        status_code=302,
        responses={
            404: {"description": "No identity provider is set."},
            503: {"description": "The identity provider is away."},
        },
        summary="Log in at the identity provider: leads there",
        openapi_extra=PUBLIC,
    )
    async def login(
        request: Request, following: Annotated[str, Query(alias="next", max_length=512)] = "/"
    ) -> Response:
        base = cookies.public_url(request)
        url, begun = await _signing_in(request).begin(base + CALLBACK, following)
        response = RedirectResponse(url, 302, headers={"Cache-Control": "no-store"})
        kept = request.app.state.logins.begin(begun)
        cookies.give(request, response, cookies.LOGIN, kept, int(LOGIN_WITHIN.total_seconds()))
        return response

    @router.get(
        CALLBACK,
        status_code=303,
        responses=REFUSED
        | {
            404: {"description": "No identity provider is set."},
            503: {"description": "The identity provider is away."},
        },
        summary="Back from the identity provider: answers a cookie and leads on",
        openapi_extra=PUBLIC,
    )
    async def callback(
        request: Request,
        code: Code = None,
        state: Given = None,
        iss: Given = None,
        error: Given = None,
    ) -> Response:
        given = {"code": code, "state": state, "iss": iss, "error": error}
        logins = request.app.state.logins
        begun = logins.begun(cookies.presented(request, cookies.LOGIN) or "")
        who = await _signing_in(request).finish(
            begun, {name: value for name, value in given.items() if value is not None}
        )
        cookie, login = logins.issue(who)
        response = RedirectResponse(begun["next"], 303, headers={"Cache-Control": "no-store"})
        cookies.take(request, response, cookies.LOGIN)
        cookies.give(request, response, cookies.SESSION, cookie, _left_s(login))
        return response


async def _logged_in(request: Request) -> Login:
    cookie = cookies.presented(request, cookies.SESSION)
    found: Login = await request.app.state.logins.read(cookie or "")
    return found


def _signing_in(request: Request) -> SigningIn:
    found: SigningIn | None = request.app.state.signing_in
    if found is None:
        raise Problem("not-found", "No identity provider is set; log in with an API key.")
    return found


def _left_s(login: Login) -> int:
    return int((login.expires_at - utc_now()).total_seconds())


def _view(login: Login) -> SessionView:
    return SessionView(
        tenant=login.who.tenant_id,
        actor=login.who.actor,
        permissions=sorted(login.who.permissions),
        expires_at=login.expires_at,
    )
