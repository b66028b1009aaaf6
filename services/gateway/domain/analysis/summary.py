"""The summary of feedback: one group beside another, and all of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from services.gateway.domain.analysis.asked import Asked, By
from services.gateway.domain.analysis.sums import (
    ASPECTS,
    CONFLICT,
    LABELS,
    RATING,
    Group,
    shown,
)
from shared.measures.intervals import mean

MOST_GROUPS: Final = 100
Quality = tuple[int, float, float]
"""Count, sum and sum of squares."""

NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "model": ("model_id",),
    "aspect": ("aspect",),
    "agent": ("agent_id",),
    "version": ("model_id", "model_version"),
    "source": ("source",),
}
NO_GROUP: Final = Group((), 0, 0, 0, None, {}, dict.fromkeys(ASPECTS, 0))


def group_view(group: Group, quality: Quality | None) -> dict[str, Any]:
    """What was said of one group, without its name."""
    return {
        "count": group.votes,
        "comments": group.comments,
        "voters": group.voters,
        "sentiment": {label: shown(label, group.of(label)) for label in LABELS},
        "rating": shown(RATING, group.of(RATING)),
        "aspects": {aspect: shown(aspect, group.of(aspect)) for aspect in ASPECTS},
        "from_comment": dict(group.from_comment),
        "conflicts": int(group.of(CONFLICT).sums.m),
        "conflict_share": shown(CONFLICT, group.of(CONFLICT)),
        "quality": quality_view(quality),
    }


def quality_view(quality: Quality | None) -> dict[str, Any]:
    """The mean quality of training rows with Student's interval, cut to where quality lies."""
    found = mean(*quality) if quality else None
    if quality is None or found is None:
        return {"value": None, "low": None, "high": None, "count": 0}
    low, high = (None if end is None else min(1.0, max(0.0, end)) for end in found[1:])
    return {"value": found.value, "low": low, "high": high, "count": quality[0]}


def waiting_view(waiting: Mapping[str, Any]) -> dict[str, Any]:
    """Feedback whose operation has not come."""
    return {
        "feedback": waiting["feedback"],
        "operations": waiting["operations"],
        "oldest_at": waiting["oldest_at"],
        "operations_over_24h": waiting["late"],
    }


def summary_view(  # noqa: PLR0913 - what an answer is made of
    by: By,
    asked: Asked,
    now: datetime,
    *,
    groups: list[Group],
    total: Group | None,
    known: int,
    quality: Mapping[tuple[str | None, ...], Quality],
    waiting: Mapping[str, Any],
) -> dict[str, Any]:
    """The answer of GET /ai/feedback/summary."""
    return {
        "as_of": now,
        "from": asked.start,
        "to": asked.end,
        "by": by,
        "groups": known,
        "total": group_view(total or NO_GROUP, quality.get(())),
        "items": [
            {"group": dict(zip(NAMES[by], one.key, strict=True))}
            | group_view(one, quality.get(one.key))
            for one in groups[:MOST_GROUPS]
        ],
        "waiting": waiting_view(waiting),
    }
