"""Every route says who may use it: `allows(permission)`, or `PUBLIC`.

Who may is also told of query parameters that the route does not know.
"""

from functools import partial
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.security import APIKeyCookie, APIKeyHeader, HTTPBearer

from services.gateway.domain.api_keys import Principal
from services.gateway.domain.permissions import ADMIN
from services.gateway.domain.problems import AwayError, Problem
from services.gateway.domain.quotas import Kind
from services.gateway.routes import cookies
from services.gateway.routes.querying import only_known_query
from services.gateway.service.shares import placed
from shared.audit.who import Who, act_as

KINDS = {"GET": Kind.READS, "HEAD": Kind.READS}
PUBLIC = {"x-permission": "none"}
# FastAPI's own, which tell what the API is and nothing of what it holds.
DOCUMENTS = frozenset({"/openapi.json"})
# For the OpenAPI document only, where each is an alternative: `_check` reads the headers.
BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="apiKey",
    description="An API key: assay_…; or a token of the identity provider that is set.",
)
HEADER = APIKeyHeader(
    name="X-API-Key",
    auto_error=False,
    scheme_name="apiKeyHeader",
    description="The same key, as providers of OpenFeature send it; Authorization goes first.",
)
COOKIE = APIKeyCookie(
    name=cookies.SESSION,
    auto_error=False,
    scheme_name="session",
    description=f"A session of the dashboard (by https: __Host-{cookies.SESSION}); "
    f"what changes something needs {cookies.FORGERY_HEADER}: 1 too.",
)


def allows(permission: str, kind: Kind | None = None) -> dict[str, Any]:
    """Arguments of a route that needs `permission`.

    `kind` says whose tokens it spends, where that does not follow from its method.
    """
    return {
        "dependencies": [
            Depends(one)
            for one in (_Check(permission, kind), BEARER, HEADER, COOKIE, only_known_query)
        ],
        "openapi_extra": {"x-permission": permission},
    }


def principal(request: Request) -> Principal:
    """Who asks, once the route's permission was checked."""
    found: Principal = request.state.principal
    return found


async def still_admitted(request: Request) -> bool:
    """Whether the credential proves the same by now, for answers that last.

    Who can prove it no more may be told nothing, also when that cannot be looked up.
    """
    try:
        found: Principal = await request.state.again()
    except (Problem, AwayError):
        return False
    before = principal(request)
    return (found.tenant_id, found.permissions) == (before.tenant_id, before.permissions)


def require_declared(app: FastAPI) -> None:
    """Deny by default: with a route that says nothing of who may use it, no gateway starts."""
    for context in iter_route_contexts(app.routes):
        route = context.route
        if not isinstance(route, APIRoute):
            if getattr(route, "path", None) not in DOCUMENTS:
                raise RuntimeError(f"{route!r} declares no permission")
            continue
        permission = (route.openapi_extra or {}).get("x-permission")
        checks = {one.call.permission for one in _checks(route)}
        if permission == PUBLIC["x-permission"]:
            fits = not checks
        else:
            fits = permission in ADMIN and checks == {permission}
        if not fits:
            raise RuntimeError(f"{route.path} declares no permission that it checks")


class _Check:
    """Admits who has a permission."""

    def __init__(self, permission: str, kind: Kind | None) -> None:
        self.permission, self._kind = permission, kind

    async def __call__(self, request: Request) -> None:
        admitted = await self._admitted(request)
        if self.permission not in admitted.permissions:
            raise Problem("forbidden", f"This needs the permission {self.permission}.")
        request.state.principal, request.state.again = admitted, partial(self._admitted, request)
        placed(request.state, admitted.tenant_id)
        act_as(Who(admitted.actor, admitted.role, request.state.request_id))
        kind = self._kind or KINDS.get(request.method, Kind.WRITES)
        await _spend(request, admitted.tenant_id, kind)

    async def _admitted(self, request: Request) -> Principal:
        admission, credential = request.app.state.admission, _presented(request)
        cookie = None if credential else cookies.presented(request, cookies.SESSION)
        if cookie is None:
            found: Principal = await admission.principal(credential)
            return found
        found = await admission.of_session(cookie)
        # An assignment is asked by GET and is an exposure all the same.
        if request.method not in cookies.SAFE_METHODS or self.permission == "experiments:assign":
            cookies.refuse_forged(request)
        return found


def _checks(route: APIRoute) -> list[Any]:
    return [one for one in route.dependant.dependencies if isinstance(one.call, _Check)]


async def _spend(request: Request, tenant_id: str, kind: Kind) -> None:
    told = await request.app.state.quotas.spend(tenant_id, kind)
    if told is None:
        return
    request.state.headers = [(n.lower().encode(), v.encode()) for n, v in told.headers().items()]
    if told.wait_s:
        detail = f"The tenant's {kind} are used up for now: {told.quota.per_s:g} a second."
        headers = {"Retry-After": str(told.retry_after_s)}
        raise Problem("too-many-requests", detail, headers=headers)


def _presented(request: Request) -> str | None:
    """The credential; providers of OpenFeature may send it as X-API-Key."""
    key = request.headers.get("x-api-key")
    return request.headers.get("authorization") or (key and f"Bearer {key}")
