"""Privacy: who or what is erased, and what is stored of a person."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel

from services.gateway.domain.erasures import EXAMPLE, ErasureRequest, ErasureView
from services.gateway.domain.subject_exports import EXAMPLE as EXPORT_EXAMPLE
from services.gateway.domain.subject_exports import (
    SubjectExportRequest,
    SubjectExportView,
    export_view,
)
from services.gateway.routes.access import allows, principal
from services.gateway.routes.objects import actor, answer, example, writes, written
from services.gateway.routes.streaming import FileResponse

ALL = "/ai/privacy/erasures"
EXPORTS = "/ai/privacy/exports"
ACCEPTED = 202
COME_BACK_S = 5
FILE = "A ZIP file: `manifest.json` says what it holds; each class of data is a file of JSON lines."
WAITING = "It is being made: come back after Retry-After."


def privacy_routes() -> APIRouter:
    """Routes of privacy."""
    router = APIRouter(tags=["privacy"])

    @router.post(
        ALL,
        status_code=ACCEPTED,
        response_model=ErasureView,
        summary="Erase or anonymise a user, an operation or what fits a filter",
        **_accepts(ErasureRequest, EXAMPLE),
    )
    async def erase(request: Request) -> Response:
        async def do(asked: ErasureRequest) -> Any:
            tenant_id, who = principal(request).tenant_id, actor(request)
            return await request.app.state.erasing.erase(tenant_id, asked, who)

        return await written(request, ErasureRequest, do, ACCEPTED)

    @router.get(
        f"{ALL}/{{erasure_id}}",
        response_model=ErasureView,
        summary="One erasure, with a receipt from every store that has answered",
        responses=example(EXAMPLE),
        **allows("privacy:admin"),
    )
    async def erasure(request: Request, erasure_id: UUID) -> Response:
        tenant_id = principal(request).tenant_id
        return answer(await request.app.state.erasures.erasure(tenant_id, erasure_id))

    @router.post(
        EXPORTS,
        status_code=ACCEPTED,
        response_model=SubjectExportView,
        summary="Export what is stored of a person",
        **_accepts(SubjectExportRequest, EXPORT_EXAMPLE),
    )
    async def export(request: Request) -> Response:
        async def do(asked: SubjectExportRequest) -> Any:
            tenant_id, who = principal(request).tenant_id, actor(request)
            return await request.app.state.subject_exporting.ask(tenant_id, asked, who)

        return await written(request, SubjectExportRequest, do, ACCEPTED)

    @router.get(
        f"{EXPORTS}/{{export_id}}",
        response_class=Response,
        summary="The file with what is stored of a person, or how far it is",
        responses=_exported(),
        **allows("privacy:admin"),
    )
    async def exported(request: Request, export_id: UUID) -> Response:
        tenant_id, state = principal(request).tenant_id, request.app.state
        row = await state.subject_exports.get(tenant_id, export_id)
        if row["status"] != "ready":
            waiting = answer(export_view(row), ACCEPTED)
            waiting.headers["Retry-After"] = str(COME_BACK_S)
            return waiting
        opened = state.subject_exporting.opened(tenant_id, row)
        return FileResponse(opened, state.exporting.within_s)

    return router


def _exported() -> dict[int | str, dict[str, Any]]:
    schema = {"type": "string", "format": "binary"}
    file = {"description": FILE, "content": {"application/zip": {"schema": schema}}}
    waiting = {"description": WAITING, "model": SubjectExportView}
    refused: dict[int | str, dict[str, Any]] = {
        404: {"description": "The tenant has no such export, or it was deleted after seven days."},
        409: {"description": "The person was erased meanwhile, and the export with them."},
    }
    return {200: file, ACCEPTED: waiting | example(EXPORT_EXAMPLE)[200], **refused}


def _accepts(model: type[BaseModel], shown: Any) -> dict[str, Any]:
    declared = writes("privacy:admin", model)
    declared["responses"] |= example(shown, ACCEPTED)
    return declared
