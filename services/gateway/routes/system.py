"""Liveness, readiness, Prometheus, how the services do, and the contract's files."""

from datetime import datetime
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from services.gateway.domain.problems import Problem
from services.gateway.routes.access import PUBLIC, allows
from services.gateway.routes.objects import answer
from shared.clock import utc_now
from shared.reports import Report

UNREADY = 503
SERVICES = ("abtest", "feedback", "gateway", "ingest", "metrics", "notify")


class SystemAnswer(BaseModel):
    """Every process that spoke within the last seconds, and the services of which none did."""

    as_of: datetime
    services: list[Report]
    missing: list[str]


def system_routes(docs_dir: Path, *, metrics_public: bool) -> APIRouter:
    """Routes about the installation; all but one need no key."""
    router = APIRouter(tags=["system"])

    @router.get("/healthz", openapi_extra=PUBLIC, summary="The process lives")
    async def healthz() -> JSONResponse:
        return JSONResponse({"status": "ok"})

    @router.get("/readyz", openapi_extra=PUBLIC, summary="Which dependencies answer")
    async def readyz(request: Request) -> JSONResponse:
        states = await request.app.state.readiness()
        ready = all(state == "ok" for state in states.values())
        body = {"status": "ready" if ready else "waiting", "dependencies": states}
        return JSONResponse(body, 200 if ready else UNREADY)

    @router.get(
        "/metrics",
        openapi_extra=PUBLIC,
        summary="Prometheus metrics",
        response_class=Response,
        responses={
            200: {"description": "Prometheus' text.", "content": {"text/plain": {}}},
            401: {"description": "This installation shows them to those with a key only."},
        },
    )
    async def metrics(request: Request) -> Response:
        if not metrics_public:
            await request.app.state.admission.principal(request.headers.get("authorization"))
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    @router.get(
        "/ai/system",
        response_model=SystemAnswer,
        summary="How each process of the installation does",
        **allows("system:read"),
    )
    async def system(request: Request) -> Response:
        now = utc_now()
        reports = await request.app.state.views.reports(now)
        missing = sorted(set(SERVICES) - {one.service for one in reports})
        return answer(SystemAnswer(as_of=now, services=reports, missing=missing))

    @router.get("/asyncapi.json", openapi_extra=PUBLIC, summary="The topics' contract")
    async def asyncapi() -> Response:
        return _file(docs_dir, "asyncapi.json")

    @router.get("/schemas/{name}.json", openapi_extra=PUBLIC, summary="An event's JSON Schema")
    async def schema(name: str) -> Response:
        if not name.replace(".", "").isalnum():
            raise Problem("not-found", "There is no such schema.")
        return _file(docs_dir / "schemas", f"{name}.json")

    return router


def _file(folder: Path, name: str) -> Response:
    path = folder / name
    if not path.is_file():
        raise Problem("not-found", f"{name} is not part of this installation.")
    return Response(path.read_bytes(), media_type="application/json")
