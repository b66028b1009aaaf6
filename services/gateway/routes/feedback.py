"""GET of feedback, as it was read."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from services.gateway.domain.feedback import FeedbackPage, feedback_view
from services.gateway.routes.access import allows, principal
from services.gateway.routes.objects import Text, answer, example
from services.gateway.routes.paging import At, Limit, next_cursor, page_after
from services.gateway.routes.querying import Instant

LABEL = "What it was read as; none: nothing that is sure enough. What was not read yet has none."
EXAMPLE = {
    "items": [
        {
            "event_id": "0199f2c4-7b1e-7c3a-9a52-5a1c0c9b7e10",
            "occurred_at": "2026-11-20T09:30:00Z",
            "operation_id": "op-1",
            "model_id": "gpt-4o-mini",
            "agent_id": "planner",
            "environment": "production",
            "operation_type": "chat",
            "variant": None,
            "user_pseudonym": "v1.3f0c9a5be1d24c7f8a60b1d2c3e4f506",
            "source": "user",
            "rating": 2,
            "helpful": None,
            "accurate": None,
            "relevant": None,
            "fast": None,
            "comment": "The price is wrong, it is 20 EUR.",
            "correction": "It costs 20 EUR.",
            "training_consent": True,
            "metadata": None,
            "sentiment": {
                "label": "negative",
                "score": -0.5,
                "confidence": 0.9,
                "method": "rating",
                "version": "1",
            },
            "aspects": {
                "helpful": None,
                "accurate": False,
                "relevant": None,
                "fast": None,
                "from_comment": ["accurate"],
                "conflict": [],
            },
            "quality": 0.21,
            "superseded": False,
        }
    ],
    "next_cursor": None,
}


def feedback_routes() -> APIRouter:
    """Routes of feedback."""
    router = APIRouter(tags=["feedback"])

    @router.get(
        "/ai/feedback",
        response_model=FeedbackPage,
        summary="Feedback with its sentiment and what came of it, newest first",
        responses=example(EXAMPLE),
        **allows("feedback:read"),
    )
    async def feedback(  # noqa: PLR0913, PLR0917 - one parameter per query parameter
        request: Request,
        model_id: Text = None,
        agent_id: Text = None,
        user_id: Text = None,
        operation_id: Text = None,
        environment: Text = None,
        operation_type: Text = None,
        variant: Text = None,
        source: Literal["user", "reviewer", "code", "model"] | None = None,
        label: Annotated[
            Literal["negative", "neutral", "positive", "none"] | None, Query(description=LABEL)
        ] = None,
        rating: Annotated[int | None, Query(ge=1, le=5)] = None,
        has_comment: bool | None = None,
        start: Annotated[Instant | None, Query(alias="from")] = None,
        end: Annotated[Instant | None, Query(alias="to")] = None,
        limit: Limit = 50,
        cursor: At = None,
    ) -> Response:
        tenant_id = principal(request).tenant_id
        filters: dict[str, Any] = {
            "model_id": model_id,
            "agent_id": agent_id,
            "user_pseudonym": user_id and request.app.state.pseudonym(tenant_id, user_id),
            "operation_id": operation_id,
            "environment": environment,
            "operation_type": operation_type,
            "variant": variant,
            "source": source,
            "label": label,
            "rating": rating,
            "has_comment": has_comment,
            "from": start,
            "to": end,
        }
        after = page_after(request, cursor)
        rows = await request.app.state.training.feedback(tenant_id, filters, after, limit + 1)
        following = next_cursor(request, rows, limit, "occurred_at", "event_id")
        items = [feedback_view(row) for row in rows[:limit]]
        return answer({"items": items, "next_cursor": following})

    return router
