"""Frozen datasets: what training can be repeated with."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.gateway.domain.datasets import (
    EXAMPLE,
    DatasetRequest,
    DatasetsPage,
    DatasetView,
    dataset_view,
    no_dataset,
)
from services.gateway.routes.access import allows, principal
from services.gateway.routes.objects import (
    CREATED,
    actor,
    answer,
    example,
    once,
    read_body,
    writes,
)
from services.gateway.routes.paging import At, Limit, next_cursor, page_after

ALL = "/ai/training-data/datasets"
LATER = 202
UNFINISHED = {"state": "freezing", "rows": None, "sha256": None, "manifest": None}
UNFINISHED |= {"formula_version": None, "frozen_at": None}


def dataset_routes() -> APIRouter:
    """Routes of datasets."""
    router = APIRouter(tags=["training"])

    @router.get(
        ALL,
        response_model=DatasetsPage,
        summary="Frozen datasets, newest first",
        responses=example({"items": [EXAMPLE], "next_cursor": None}),
        **allows("training:read"),
    )
    async def datasets(request: Request, limit: Limit = 50, cursor: At = None) -> Response:
        after = page_after(request, cursor)
        tenant_id = principal(request).tenant_id
        rows = await request.app.state.datasets.datasets(tenant_id, after, limit + 1)
        following = next_cursor(request, rows, limit, "created_at", "dataset_id")
        return answer(
            {"items": [dataset_view(row) for row in rows[:limit]], "next_cursor": following}
        )

    @router.get(
        f"{ALL}/{{dataset_id}}",
        response_model=DatasetView,
        summary="One dataset; `state` says whether it is frozen",
        responses=example(EXAMPLE),
        **allows("training:read"),
    )
    async def dataset(request: Request, dataset_id: UUID) -> Response:
        row = await request.app.state.datasets.dataset(principal(request).tenant_id, dataset_id)
        if row is None:
            raise no_dataset(dataset_id)
        return answer(dataset_view(row))

    @router.post(
        ALL,
        status_code=CREATED,
        response_model=DatasetView,
        summary="Freeze a dataset: the next version of its name, with copies of its rows",
        **_freezes(),
    )
    async def freeze(request: Request) -> Response:
        body, asked = await read_body(request, DatasetRequest)

        async def do() -> Any:
            tenant_id, who = principal(request).tenant_id, actor(request)
            return await request.app.state.freezing.freeze(tenant_id, asked, who)

        return await once(request, body, do, _status)

    return router


def _status(made: dict[str, Any]) -> int:
    return LATER if made["state"] == "freezing" else CREATED


def _freezes() -> dict[str, Any]:
    declared = writes("training:write", DatasetRequest)
    declared["responses"] |= example(EXAMPLE, CREATED) | example(EXAMPLE | UNFINISHED, LATER)
    declared["responses"][LATER]["description"] = "It takes longer; ask for it by its id."
    schema = {"$ref": "#/components/schemas/DatasetView"}
    declared["responses"][LATER]["content"]["application/json"]["schema"] = schema
    return declared
