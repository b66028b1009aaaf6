"""GET of training data as a file."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from services.gateway.domain.exporting import Wanted
from services.gateway.domain.quotas import Kind
from services.gateway.routes.access import allows, principal
from services.gateway.routes.bounds import lasting
from services.gateway.routes.objects import REFUSALS, actor, answer
from services.gateway.routes.streaming import FileResponse
from services.gateway.routes.training import Filters
from shared.training.formats.choice import FILE_TYPES, FormatName
from shared.training.shapes import ShapeName

OF_DATASET = "A dataset's id: its rows, less those withdrawn since; of filters, only `split`."
DatasetId = Annotated[UUID | None, Query(alias="dataset", description=OF_DATASET)]
REDACTED = "Whether e-mail addresses, numbers and keys in texts become placeholders."
Redact = Annotated[bool, Query(description=REDACTED)]
EXAMPLES = {
    "jsonl": '{"prompt":[{"role":"user","content":"What does it cost?"}],'
    '"completion":[{"role":"assistant","content":"20 EUR a month."}],"label":true}\n',
    "json": [
        {
            "prompt": [{"role": "user", "content": "What does it cost?"}],
            "chosen": [{"role": "assistant", "content": "20 EUR a month."}],
            "rejected": [{"role": "assistant", "content": "25 EUR a month."}],
        }
    ],
    "csv": '"id","operation_id","kind"\r\n'
    '"0199f2c4-9d20-7b61-8a31-0c5b7e1f2a40","op-1","answer"\r\n',
}


def exporting_routes() -> APIRouter:
    """Routes of exports."""
    router = APIRouter(tags=["training"])

    @router.get(
        "/ai/training-data/export",
        summary="Training data as a file: streamed, ordered, the same bytes for the same rows",
        response_class=Response,
        responses=_documented(),
        **allows("training:export", Kind.HEAVY),
    )
    async def export(
        request: Request,
        filters: Filters,
        format: FormatName = "jsonl",  # noqa: A002 - the parameter's name
        shape: ShapeName = "rows",
        dataset: DatasetId = None,
        redact: Redact = True,
    ) -> Response:
        wanted = Wanted(filters, dataset, shape, format, redact)
        exporting = request.app.state.exporting
        opened = exporting.opened(principal(request).tenant_id, wanted, actor(request))
        return FileResponse(opened, exporting.within_s)

    @router.get(
        "/ai/training-data/export/report",
        response_model=ExportReport,
        responses=_refused(),
        summary="What an export would hold, skip and redact, without the file",
        **allows("training:export", Kind.HEAVY),
    )
    async def report(
        request: Request,
        filters: Filters,
        format: FormatName = "jsonl",  # noqa: A002 - the parameter's name
        shape: ShapeName = "rows",
        dataset: DatasetId = None,
        redact: Redact = True,
    ) -> Response:
        wanted = Wanted(filters, dataset, shape, format, redact)
        exporting = request.app.state.exporting
        lasting(request, exporting.within_s)
        return answer(await exporting.report(principal(request).tenant_id, wanted))

    return router


class ExportReport(BaseModel):
    """Counts of a file, and its hash."""

    shape: ShapeName
    format: FormatName
    rows: int = Field(description="Rows read.")
    records: int = Field(description="Records written.")
    skipped: dict[str, int] = Field(description="Rows that gave none, by reason.")
    redacted: dict[str, int] = Field(description="Places that became placeholders, by kind.")
    size_bytes: int
    sha256: str


def _documented() -> dict[int | str, dict[str, Any]]:
    content: dict[str, Any] = {}
    for name, kind in FILE_TYPES.items():
        media = kind.content_type.partition(";")[0]
        content[media] = {"schema": {"type": "string"}}
        if name in EXAMPLES:
            content[media]["example"] = EXAMPLES[name]
    content["application/json"]["schema"] = {"type": "array", "items": {"type": "object"}}
    return {200: {"description": "The file.", "content": content}, **_refused()}


def _refused() -> dict[int | str, dict[str, Any]]:
    refused: dict[int | str, dict[str, Any]] = {
        status: {"description": REFUSALS[status]} for status in (401, 403, 404, 409, 422)
    }
    refused[503] = {"description": "Too many exports at once, or the store is away; come back."}
    return refused
