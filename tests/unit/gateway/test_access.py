"""No route without a permission that it checks."""

import pytest
from fastapi import APIRouter, FastAPI
from starlette.routing import Mount

from services.gateway.domain.permissions import ROLES
from services.gateway.routes.access import PUBLIC, allows, require_declared
from tests.contract.test_openapi import document, hidden_routes

PUBLIC_ROUTES = {
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",  # a setting closes it; it names no tenant
    "GET /asyncapi.json",
    "GET /schemas/{name}.json",
    "POST /auth/session",  # here one proves who one is
    "GET /auth/session",
    "DELETE /auth/session",
    "GET /auth/login",
    "GET /auth/callback",
}


async def nothing() -> None:
    """A route that does nothing."""


def app_with(**declared: object) -> FastAPI:
    router, app = APIRouter(), FastAPI(docs_url=None, redoc_url=None)
    router.get("/ai/new", **declared)(nothing)
    app.include_router(router)
    return app


def test_a_route_that_declares_what_it_checks_is_taken() -> None:
    require_declared(app_with(**allows("metrics:read")))
    require_declared(app_with(openapi_extra=PUBLIC))


@pytest.mark.parametrize(
    "declared",
    [
        pytest.param({}, id="nothing is declared"),
        pytest.param({"openapi_extra": {"x-permission": "metrics:read"}}, id="nothing is checked"),
        pytest.param(allows("metrics:raed"), id="nobody has that permission"),
        pytest.param(
            allows("metrics:read") | {"openapi_extra": {"x-permission": "metrics:admin"}},
            id="another is checked than is declared",
        ),
        pytest.param(allows("metrics:read") | {"openapi_extra": PUBLIC}, id="public and checked"),
        pytest.param({"include_in_schema": False}, id="hidden from the document"),
    ],
)
def test_a_gateway_with_any_other_route_does_not_start(declared: dict[str, object]) -> None:
    with pytest.raises(RuntimeError, match="no permission"):
        require_declared(app_with(**declared))


def test_what_is_mounted_beside_the_routes_is_refused_too() -> None:
    app = FastAPI(docs_url=None, redoc_url=None, routes=[Mount("/files", app=FastAPI())])
    with pytest.raises(RuntimeError, match="no permission"):
        require_declared(app)


def test_these_routes_and_no_others_are_for_everybody() -> None:
    found = {
        f"{method.upper()} {path}"
        for path, methods in document()["paths"].items()
        for method, one in methods.items()
        if one["x-permission"] == "none"
    }
    assert found == PUBLIC_ROUTES


def test_of_pages_only_the_door_and_what_holds_nothing_of_anybody_are_for_everybody() -> None:
    found = {one.path for one in hidden_routes() if one.openapi_extra["x-permission"] == "none"}
    assert found == {"/", "/docs", "/assets/{digest}/{name}"}


def test_each_role_of_less_than_an_admin_is_refused_something() -> None:
    needed = {
        one["x-permission"] for methods in document()["paths"].values() for one in methods.values()
    } - {"none"}
    for role, has in ROLES.items():
        assert bool(needed - has) == (role != "admin"), role
