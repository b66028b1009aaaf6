"""Liveness, readiness, Prometheus, and the contract's files."""

from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from services.gateway.domain.problems import Problem
from services.gateway.routes.access import PUBLIC

UNREADY = 503


def system_routes(docs_dir: Path, *, metrics_public: bool) -> APIRouter:
    """Routes that need no key."""
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

    @router.get("/metrics", openapi_extra=PUBLIC, summary="Prometheus metrics")
    async def metrics(request: Request) -> Response:
        if not metrics_public:
            await request.app.state.admission.principal(request.headers.get("authorization"))
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

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
