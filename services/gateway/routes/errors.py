"""Every failure as a problem document."""

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.responses import Response

from services.gateway.domain.problems import TITLES, AwayError, Problem

BY_STATUS = {404: "not-found", 405: "method-not-allowed", 415: "unsupported-media-type"}

log = structlog.get_logger()


def install_errors(app: FastAPI) -> None:
    """Translate whatever a route raises."""

    @app.exception_handler(Problem)
    async def problem(_: Request, error: Problem) -> Response:
        return answer(error)

    @app.exception_handler(AwayError)
    async def away(_: Request, error: AwayError) -> Response:
        return answer(Problem("unavailable", f"{error}.", more={"dependency": error.what}))

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
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
        return answer(Problem("invalid", detail, errors=errors))

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> Response:
        slug = BY_STATUS.get(error.status_code, "bad-request")
        return answer(Problem(slug, TITLES[slug][1] + ".", headers=dict(error.headers or {})))

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        log.error("unexpected", path=request.url.path, why=repr(error)[:500])
        return answer(Problem("internal", "The request's id says where to look in the log."))


def answer(problem: Problem) -> Response:
    """A problem as a response."""
    return Response(
        to_json(problem.body()),
        problem.status,
        headers=problem.headers,
        media_type="application/problem+json",
    )
