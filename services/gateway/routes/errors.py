"""Every failure as a problem document, or as a page for people."""

from collections.abc import Iterator, Sequence

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route

from services.gateway.domain.problems import TITLES, AwayError, Problem
from services.gateway.routes.dashboard.showing import show_problem, wants_page
from services.gateway.routes.otlp_answers import PATHS, refused

BY_STATUS = {404: "not-found", 405: "method-not-allowed", 415: "unsupported-media-type"}

NOT_ALLOWED = 405


def install_errors(app: FastAPI) -> None:
    """Translate what a route raises on purpose; `bounds` answers for the rest."""

    @app.exception_handler(Problem)
    async def problem(request: Request, error: Problem) -> Response:
        if error.slug == "invalid" and _is_elsewhere(request):
            return answer(request, _wrong_method(request))
        return answer(request, error)

    @app.exception_handler(AwayError)
    async def away(request: Request, error: AwayError) -> Response:
        return answer(request, Problem("unavailable", f"{error}.", more={"dependency": error.what}))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        if _is_elsewhere(request):
            return answer(request, _wrong_method(request))
        errors = [
            {
                "pointer": "/" + "/".join(str(part) for part in one["loc"][1:]),
                "code": "invalid_field",
                "message": one["msg"],
            }
            for one in error.errors()
        ]
        first = errors[0]
        detail = f"{str(first['pointer'])[1:]}: {first['message']}"
        return answer(request, Problem("invalid", detail, errors=errors))

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        if error.status_code == NOT_ALLOWED:
            return answer(request, _wrong_method(request))
        slug = BY_STATUS.get(error.status_code, "bad-request")
        headers = dict(error.headers or {})
        return answer(request, Problem(slug, TITLES[slug][1] + ".", headers=headers))


def _is_elsewhere(request: Request) -> bool:
    """Whether a path that has a route of its own was taken for one with a parameter.

    `DELETE …/training-data/datasets` is no attempt to delete a row of that name.
    """
    route, path = request.scope.get("route"), request.url.path
    literal = [one for one in _routes(request) if one.path == path]
    return bool(literal) and getattr(route, "path", path) != path


def _wrong_method(request: Request) -> Problem:
    """405, with all that the path answers to."""
    path = request.url.path
    routes = _routes(request)
    found = [one for one in routes if one.path == path] or [
        one for one in routes if one.matches(request.scope)[0] is not Match.NONE
    ]
    allowed = sorted({method for one in found for method in one.methods or ()})
    detail = TITLES["method-not-allowed"][1] + "."
    return Problem("method-not-allowed", detail, headers={"Allow": ", ".join(allowed)})


def _routes(request: Request) -> list[Route]:
    return list(_flat(request.app.routes))


def _flat(routes: Sequence[BaseRoute]) -> Iterator[Route]:
    """Routes, also those of routers that were included."""
    for one in routes:
        if isinstance(one, Route):
            yield one
        else:
            yield from _flat(getattr(getattr(one, "original_router", None), "routes", ()))


def answer(request: Request, problem: Problem) -> Response:
    """A problem as a response: to exporters in their own protocol, to people as a page."""
    if wants_page(request):
        return show_problem(request, problem)
    if request.url.path in PATHS:
        return refused(request, problem)
    return Response(
        to_json({**problem.body(), "request_id": request.state.request_id}),
        problem.status,
        headers=problem.headers,
        media_type="application/problem+json",
    )
