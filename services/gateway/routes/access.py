"""Every route says who may use it: `allows(permission)`, or `PUBLIC`.

Who may is also told of query parameters that the route does not know.
"""

from collections.abc import Callable
from typing import Any

from fastapi import Depends, Request
from fastapi.security import APIKeyHeader, HTTPBearer

from services.gateway.domain.api_keys import Principal
from services.gateway.domain.problems import Problem
from services.gateway.routes.querying import only_known_query

PUBLIC = {"x-permission": "none"}
# For the OpenAPI document only, where each is an alternative: `_check` reads the headers.
BEARER = HTTPBearer(auto_error=False, scheme_name="apiKey", description="An API key: assay_…")
HEADER = APIKeyHeader(
    name="X-API-Key",
    auto_error=False,
    scheme_name="apiKeyHeader",
    description="The same key, as providers of OpenFeature send it; Authorization goes first.",
)


def allows(permission: str) -> dict[str, Any]:
    """Arguments of a route that needs `permission`."""
    return {
        "dependencies": [
            Depends(one) for one in (_check(permission), BEARER, HEADER, only_known_query)
        ],
        "openapi_extra": {"x-permission": permission},
    }


def principal(request: Request) -> Principal:
    """Who asks, once the route's permission was checked."""
    found: Principal = request.state.principal
    return found


def _check(permission: str) -> Callable[[Request], Any]:
    async def check(request: Request) -> None:
        admitted = await request.app.state.admission.principal(_presented(request))
        if permission not in admitted.permissions:
            raise Problem("forbidden", f"This needs the permission {permission}.")
        request.state.principal = admitted

    return check


def _presented(request: Request) -> str | None:
    """The credential; providers of OpenFeature may send it as X-API-Key."""
    key = request.headers.get("x-api-key")
    return request.headers.get("authorization") or (key and f"Bearer {key}")
