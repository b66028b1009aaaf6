"""Every failure as a problem document."""

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.responses import Response

from services.gateway.domain.problems import TITLES, AwayError, Problem
from services.gateway.routes.otlp_answers import PATHS, refused

BY_STATUS = {404: "not-found", 405: "method-not-allowed", 415: "unsupported-media-type"}

log = structlog.get_logger()


def install_errors(app: FastAPI) -> None:
    """Translate whatever a route raises."""

    @app.exception_handler(Problem)
    async def problem(request: Request, error: Problem) -> Response:
        return answer(request, error)

    @app.exception_handler(AwayError)
    async def away(request: Request, error: AwayError) -> Response:
        return answer(request, Problem("unavailable", f"{error}.", more={"dependency": error.what}))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
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
        slug = BY_STATUS.get(error.status_code, "bad-request")
        headers = dict(error.headers or {})
        return answer(request, Problem(slug, TITLES[slug][1] + ".", headers=headers))

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        log.error("unexpected", path=request.url.path, why=repr(error)[:500])
        detail = "The request's id says where to look in the log."
        return answer(request, Problem("internal", detail))


def answer(request: Request, problem: Problem) -> Response:
    """A problem as a response; exporters read those of their own protocol only."""
    if request.url.path in PATHS:
        return refused(request, problem)
    return Response(
        to_json(problem.body()),
        problem.status,
        headers=problem.headers,
        media_type="application/problem+json",
    )
