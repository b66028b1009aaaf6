"""What feedback says in sum: the summary anew each time, what takes longer every five minutes."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

import structlog
from pydantic_core import to_json

from services.gateway.domain.analysis.advice import Circumstances, advised, no_advice
from services.gateway.domain.analysis.asked import Asked, By, span_of
from services.gateway.domain.analysis.comparing import findings
from services.gateway.domain.analysis.summary import summary_view, waiting_view
from services.gateway.domain.analysis.sums import Group
from services.gateway.domain.analysis.themes import (
    MOST_COMMENTS,
    NOT_FOUND,
    Theme,
    complaints_of,
    question,
    themes_of,
    themes_view,
)
from services.gateway.domain.analysis.trends import (
    LEAST_DAYS,
    MOVING,
    WEEK,
    changes,
    days_of,
    points,
    trend_view,
)
from services.gateway.domain.problems import AwayError, Problem
from services.gateway.service.forecasting import Ask
from services.gateway.service.kept import Kept
from shared import clock
from shared.clock import Clock

LATE = timedelta(hours=24)
Names = tuple[str | None, ...]

log = structlog.get_logger()


class Filters(NamedTuple):
    """What callers asked for, in the order of `Asked`."""

    start: datetime | None = None
    end: datetime | None = None
    model_id: str | None = None
    agent_id: str | None = None
    environment: str | None = None
    operation_type: str | None = None
    source: str | None = None


class Summed(Protocol):
    """Groups with what else is said of them."""

    @property
    def total(self) -> Group | None: ...
    @property
    def groups(self) -> list[Group]: ...
    @property
    def known(self) -> int: ...
    @property
    def quality(self) -> Mapping[Names, tuple[int, float, float]]: ...
    @property
    def waiting(self) -> Mapping[str, Any]: ...


class Store(Protocol):
    """Where feedback is."""

    async def summed(self, tenant_id: str, by: str, asked: Asked, late: datetime) -> Summed:
        """Votes by a group, in all, and how many wait."""

    async def groups(
        self, tenant_id: str, by: Sequence[str], asked: Asked, border: datetime | None = None
    ) -> list[list[Group]]:
        """Votes by each of several groupings; `border` parts the weeks."""

    async def complaints(
        self, tenant_id: str, asked: Asked, most: int
    ) -> tuple[bool, list[Mapping[str, Any]]]:
        """Whether texts are kept, and negative votes with a comment, newest first."""

    async def circumstances(
        self, tenant_id: str, asked: Asked, late: datetime
    ) -> tuple[Mapping[tuple[str, str], int], Mapping[str, Any]]:
        """Operations by model and type, and what waits."""


class Analysing:
    """Answers of GET /ai/feedback/summary, /trends and /recommendations."""

    def __init__(self, store: Store, ask: Ask, now: Clock, kept_s: float) -> None:
        self._store = store
        self._ask = ask
        self._now = now
        self._kept = Kept(kept_s)

    async def summary(self, tenant_id: str, by: By, filters: Filters) -> dict[str, Any]:
        """One group beside another, as of now."""
        now = self._now()
        asked = _asked(filters, now)
        found = await self._store.summed(tenant_id, by, asked, now - LATE)
        return summary_view(
            by,
            asked,
            now,
            groups=found.groups,
            total=found.total,
            known=found.known,
            quality=found.quality,
            waiting=found.waiting,
        )

    async def trends(self, tenant_id: str, filters: Filters, *, refresh: bool) -> dict[str, Any]:
        """How each metric moves, day by day."""
        return await self._known(tenant_id, "trends", filters, self._trends, refresh)

    async def recommendations(
        self, tenant_id: str, filters: Filters, *, refresh: bool
    ) -> dict[str, Any]:
        """What would help most, and why."""
        return await self._known(tenant_id, "advice", filters, self._advice, refresh)

    async def _known(
        self,
        tenant_id: str,
        what: str,
        filters: Filters,
        reckon: Callable[[str, Asked, datetime], Awaitable[dict[str, Any]]],
        refresh: bool,
    ) -> dict[str, Any]:
        now = self._now()
        asked = _asked(filters, now)  # a wrong span is refused, also beside a known answer

        async def anew() -> dict[str, Any]:
            head = {"as_of": now, "from": asked.start, "to": asked.end}
            return head | await reckon(tenant_id, asked, now)

        oldest = clock.monotonic() if refresh else 0.0
        known = await self._kept.get(tenant_id, (what, filters), anew, not_before=oldest)
        age = self._now() - known["as_of"]
        return known | {"age_s": max(0, int(age.total_seconds()))}

    async def _trends(self, tenant_id: str, asked: Asked, _: datetime) -> dict[str, Any]:
        (by_day,) = await self._store.groups(tenant_id, ("day",), asked)
        fortnight = asked._replace(start=asked.end - 2 * WEEK)
        weeks: list[Group] = []
        if fortnight.start >= asked.start:  # of what was not asked for nothing is said
            (weeks,) = await self._store.groups(tenant_id, ("week",), fortnight, asked.end - WEEK)
        days = days_of(asked.start, asked.end)
        series = {name: points(metric, days, by_day) for name, metric in MOVING.items()}
        values = [[one["value"] for one in of_metric] for of_metric in series.values()]
        asks = {"do": "trends", "series": values, "least_span": LEAST_DAYS}
        answer = await self._ask(to_json(asks).decode())
        of_week = {group.key[0]: group for group in weeks}
        changed = changes(of_week.get("before"), of_week.get("after"))
        return {
            "metrics": {
                name: {"points": series[name], "trend": trend_view(trend), "change": changed[name]}
                for name, trend in zip(series, answer["trends"], strict=True)
            }
        }

    async def _advice(self, tenant_id: str, asked: Asked, now: datetime) -> dict[str, Any]:
        groupings = ("type", "version", "prompt", "model")
        by_type, versions, prompts, models = await self._store.groups(tenant_id, groupings, asked)
        traffic, waiting = await self._store.circumstances(tenant_id, asked, now - LATE)
        themes, themes_told = await self._themes(tenant_id, asked)
        # Hundreds of comparisons: not while everybody else waits.
        found = await asyncio.to_thread(findings, by_type, versions, prompts, models)
        if asked.agent_id is not None:
            traffic = {}  # nobody counts the operations of agents
        is_filtered = any(one is not None for one in asked[2:])
        circumstances = Circumstances(
            traffic, models, by_type, versions, prompts, {"late": 0} if is_filtered else waiting
        )
        items = advised(found, themes, circumstances)
        feedback = sum(group.votes for group in models)
        return {
            "feedback": feedback,
            "comparisons": len(found),
            "reason": None if items else no_advice(feedback, len(found)),
            "items": items,
            "themes": themes_told,
            "waiting": waiting_view(waiting),
        }

    async def _themes(self, tenant_id: str, asked: Asked) -> tuple[list[Theme], dict[str, Any]]:
        keeps, rows = await self._store.complaints(tenant_id, asked, MOST_COMMENTS)
        complaints = complaints_of(rows)
        themes: list[Theme] = []
        failed = False
        if complaints:
            try:
                answer = await self._ask(to_json(question(complaints)).decode())
                themes = themes_of(complaints, answer)
            except (AwayError, Problem) as error:  # all other advice holds without them
                log.warning("no themes", tenant=tenant_id, why=str(error))
                failed = True
        view = themes_view(len(rows), themes, keeps_content=keeps)
        return themes, (view | {"reason": NOT_FOUND} if failed else view)


def _asked(filters: Filters, now: datetime) -> Asked:
    return Asked(*span_of(filters.start, filters.end, now), *filters[2:])
