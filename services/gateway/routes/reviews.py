"""Review queues: made, taken from, answered, and exported."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic_core import from_json

from services.gateway.domain.audit import of_reviews
from services.gateway.domain.quotas import Kind
from services.gateway.domain.reviews import (
    EXAMPLE,
    NextItem,
    Place,
    QueueRequest,
    QueuesPage,
    QueueView,
    QueueWithAgreement,
    Review,
    SampleRequest,
    queue_view,
)
from services.gateway.routes.access import allows, principal
from services.gateway.routes.bodies import whole_body
from services.gateway.routes.objects import (
    CREATED,
    GONE,
    actor,
    answer,
    example,
    once,
    removed,
    writes,
    written,
)
from services.gateway.routes.paging import At, Limit, next_cursor, page_after
from shared.training.formats.choice import FILE_TYPES
from shared.training.formats.lines import JsonLines
from shared.training.formats.table import Csv

ALL = "/ai/review-queues"
ONE = "/ai/review-queues/{queue_id}"
ACCEPTED = 202
SAID = ("rating", "helpful", "accurate", "relevant", "fast", "comment", "correction")
COLUMNS = ("operation_id", "model_id", "reviewer", "reviewed_at", *SAID)
FILES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file.", "content": {"application/x-ndjson": {}, "text/csv": {}}}
}
NAMED = "Who reviews, where several share a key; else the key."
Reviewer = Annotated[str | None, Query(min_length=1, max_length=100, description=NAMED)]


def review_routes() -> APIRouter:
    """Routes of review queues."""
    router = APIRouter(tags=["reviews"])
    _of_queues(router)
    _of_reviewers(router)
    return router


def _of_queues(router: APIRouter) -> None:
    @router.get(
        ALL,
        response_model=QueuesPage,
        summary="Review queues, newest first",
        responses=example({"items": [EXAMPLE], "next_cursor": None}),
        **allows("feedback:read"),
    )
    async def queues(request: Request, limit: Limit = 50, cursor: At = None) -> Response:
        after = page_after(request, cursor)
        rows = await request.app.state.reviews.queues(_tenant(request), after, limit + 1)
        following = next_cursor(request, rows, limit, "created_at", "queue_id")
        return answer(
            {"items": [queue_view(row) for row in rows[:limit]], "next_cursor": following}
        )

    @router.post(
        ALL,
        status_code=CREATED,
        response_model=QueueView,
        summary="Make a queue, with a first sample of operations",
        **writes("reviews:write", QueueRequest),
    )
    async def make(request: Request) -> Response:
        async def do(asked: QueueRequest) -> Any:
            new_id, who = request.app.state.new_id(), actor(request)
            row = await request.app.state.reviews.add(_tenant(request), new_id, asked, who)
            return queue_view(row)

        return await written(request, QueueRequest, do, CREATED)

    @router.get(
        ONE,
        response_model=QueueWithAgreement,
        summary="One queue: how far it is, and how far its reviewers agree",
        **allows("feedback:read"),
    )
    async def queue(request: Request, queue_id: UUID) -> Response:
        return answer(await request.app.state.reviewing.queue(_tenant(request), queue_id))

    @router.post(
        f"{ONE}/sample",
        summary="Add operations that the queue never had",
        **writes("reviews:write", SampleRequest),
    )
    async def sample(request: Request, queue_id: UUID) -> Response:
        async def do(asked: SampleRequest) -> Any:
            store = request.app.state.reviews
            return {"added": await store.sample(_tenant(request), queue_id, asked.sample)}

        return await written(request, SampleRequest, do)

    @router.delete(
        ONE,
        status_code=GONE,
        summary="Close a queue: nobody takes from it any more; what was said stays",
        **writes("reviews:write"),
    )
    async def close(request: Request, queue_id: UUID) -> Response:
        return await removed(
            request, lambda: request.app.state.reviews.close(_tenant(request), queue_id)
        )

    @router.get(
        f"{ONE}/reviews",
        response_class=Response,
        summary="All that was said in a queue, as a file; in CSV no text is a formula",
        responses=FILES,
        **allows("feedback:read", Kind.HEAVY),
    )
    async def reviews(
        request: Request,
        queue_id: UUID,
        format: Literal["jsonl", "csv"] = "jsonl",  # noqa: A002 - the parameter's name
    ) -> Response:
        await request.app.state.audit.reads(_tenant(request), of_reviews(queue_id))
        rows = await request.app.state.reviews.reviews(_tenant(request), queue_id)
        records = [_record(row) for row in rows]
        encoder = Csv(COLUMNS) if format == "csv" else JsonLines()
        content = encoder.head() + encoder.body(records) + encoder.tail()
        kind = FILE_TYPES[format]
        name = f"reviews-{queue_id}{kind.suffix}"
        headers = {
            "Content-Disposition": f'attachment; filename="{name}"',
            "X-Content-Type-Options": "nosniff",
        }
        return Response(content, media_type=kind.content_type, headers=headers)


def _of_reviewers(router: APIRouter) -> None:
    @router.post(
        f"{ONE}/next",
        response_model=NextItem,
        summary="Take the next operation: it is kept for 30 minutes, and asked for again till then",
        **writes("reviews:write"),
    )
    async def following(request: Request, queue_id: UUID, reviewer: Reviewer = None) -> Response:
        reviewing, who = request.app.state.reviewing, _who(request, reviewer)
        body = await whole_body(request, lambda _: None)
        said = b"\0".join((who.encode(), body))  # two reviewers never share an answer
        return await once(request, said, lambda: reviewing.next(_tenant(request), queue_id, who))

    @router.post(
        f"{ONE}/items/{{operation_id}}/review",
        status_code=ACCEPTED,
        summary="Say what a taken operation is worth; it becomes feedback of a reviewer",
        **writes("reviews:write", Review),
    )
    async def review(
        request: Request, queue_id: UUID, operation_id: str, reviewer: Reviewer = None
    ) -> Response:
        place = Place(_tenant(request), queue_id, operation_id, _who(request, reviewer))

        async def do(said: Review) -> Any:
            return await request.app.state.reviewing.review(place, said)

        return await written(request, Review, do, ACCEPTED)


def _tenant(request: Request) -> str:
    return principal(request).tenant_id


def _who(request: Request, reviewer: str | None) -> str:
    """Names within a key: nobody reviews under another key's name."""
    return f"{actor(request)}/{reviewer}" if reviewer else actor(request)


def _record(row: Any) -> dict[str, object]:
    said = from_json(row["said"])
    return {
        "operation_id": row["operation_id"],
        "model_id": row["model_id"],
        "reviewer": row["reviewer"],
        "reviewed_at": row["reviewed_at"].isoformat(),
        **{name: said.get(name) for name in SAID},
    }
