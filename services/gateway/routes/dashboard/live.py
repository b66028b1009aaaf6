"""Operations as they come, and one of them."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from services.gateway.domain.dashboard.wording import count, dollars, milliseconds, share, worded
from services.gateway.domain.problems import Problem
from services.gateway.routes.access import principal
from services.gateway.routes.dashboard.choices import EMPTY, PageLimit, Words
from services.gateway.routes.dashboard.showing import show, shows
from services.gateway.routes.paging import At, next_cursor, page_after

Success = Annotated[Literal["true", "false"] | None, EMPTY, Query()]
NUMBERS = {
    "response_time_ms": milliseconds,
    "time_to_first_token_ms": milliseconds,
    "input_tokens": count,
    "output_tokens": count,
    "cached_input_tokens": count,
    "reasoning_tokens": count,
    "cost_usd": dollars,
    "confidence": share,
}
TEXTS = ("error_message", "input_text", "output_text")


def live_pages() -> APIRouter:
    """Pages of operations."""
    router = APIRouter(include_in_schema=False)

    @router.get("/live", **shows("operations:read"))
    async def operations(  # noqa: PLR0913, PLR0917 - one parameter per query parameter
        request: Request,
        model_id: Words = None,
        environment: Words = None,
        success: Success = None,
        error: Words = None,
        limit: PageLimit = 50,
        cursor: At = None,
    ) -> Response:
        asked = {"model_id": model_id, "environment": environment, "error": error}
        filters = asked | {"success": None if success is None else success == "true"}
        after, tenant_id = page_after(request, cursor), principal(request).tenant_id
        rows = await request.app.state.store.operations(tenant_id, filters, after, limit + 1)
        following = next_cursor(request, rows, limit, "occurred_at", "event_id")
        asked["success"] = success
        return show(
            request,
            "live.html",
            rows=rows[:limit],
            following=following,
            asked=asked,
            is_first=cursor is None,
        )

    @router.get("/live/{operation_id:path}", **shows("operations:read"))
    async def operation(request: Request, operation_id: str) -> Response:
        row = await request.app.state.store.operation(principal(request).tenant_id, operation_id)
        if row is None:
            raise Problem("not-found", f"No operation {operation_id[:128]!r} is stored.")
        numbers = [(name, worded(row[name], word)) for name, word in NUMBERS.items()]
        facts = {name: one for name, one in row.items() if name not in {*NUMBERS, *TEXTS}}
        texts = [(name, row[name]) for name in TEXTS]
        content = {"facts": facts, "numbers": numbers, "texts": texts}
        return show(request, "operation.html", operation_id=operation_id, **content)

    return router
