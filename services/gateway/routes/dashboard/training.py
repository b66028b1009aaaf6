"""Training rows with their reasons, their files, and frozen datasets."""

from typing import Annotated, Literal
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from services.gateway.domain.datasets import dataset_view
from services.gateway.domain.training import no_row
from services.gateway.routes.access import principal
from services.gateway.routes.dashboard.choices import EMPTY, PageLimit, Share, Words
from services.gateway.routes.dashboard.showing import show, shows
from services.gateway.routes.paging import At, next_cursor, page_after
from services.gateway.routes.training import asked_filters
from shared.training.row import public
from shared.training.stored import row_of

Split = Annotated[Literal["train", "validation", "test"] | None, EMPTY, Query()]
Consent = Annotated[Literal["true", "false", "unknown"] | None, EMPTY, Query()]
FILES = (
    ("Rows as JSONL", "jsonl", "rows"),
    ("Rows as CSV", "csv", "rows"),
    ("Prompt and completion", "jsonl", "prompt-completion"),
    ("Preference pairs", "jsonl", "preference"),
    ("OpenAI chat", "jsonl", "openai-chat"),
)


def training_pages() -> APIRouter:
    """Pages of training data."""
    router = APIRouter(include_in_schema=False)

    @router.get("/training", **shows("training:read"))
    async def rows(  # noqa: PLR0913, PLR0917 - one parameter per query parameter
        request: Request,
        model_id: Words = None,
        min_quality: Share = None,
        split: Split = None,
        consent: Consent = None,
        limit: PageLimit = 50,
        cursor: At = None,
    ) -> Response:
        asked = {"model_id": model_id, "min_quality": min_quality, "split": split}
        asked["consent"] = consent
        filters = asked_filters(
            model_id=model_id, min_quality=min_quality, split=split, consent=consent
        )
        after, tenant_id = page_after(request, cursor), principal(request).tenant_id
        found = await request.app.state.training.rows(tenant_id, filters, after, limit + 1)
        following = next_cursor(request, found, limit, "occurred_at", "row_id")
        shown = [public(row_of(one)) for one in found[:limit]]
        given = urlencode({name: one for name, one in asked.items() if one is not None})
        content = {"rows": shown, "following": following, "asked": asked, "given": given}
        return show(request, "training.html", files=FILES, **content)

    @router.get("/training/datasets", **shows("training:read"))
    async def datasets(request: Request, limit: PageLimit = 50, cursor: At = None) -> Response:
        after, tenant_id = page_after(request, cursor), principal(request).tenant_id
        found = await request.app.state.datasets.datasets(tenant_id, after, limit + 1)
        following = next_cursor(request, found, limit, "created_at", "dataset_id")
        shown = [dataset_view(one) for one in found[:limit]]
        return show(request, "datasets.html", datasets=shown, following=following)

    @router.get("/training/{row_id}", **shows("training:read"))
    async def row(request: Request, row_id: UUID) -> Response:
        found = await request.app.state.training.row(principal(request).tenant_id, row_id)
        if found is None:
            raise no_row(row_id)
        return show(request, "row.html", row=public(row_of(found)))

    return router
