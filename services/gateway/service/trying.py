"""What a rule would do right now; nobody is told."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from services.gateway.domain.alerts import trial
from services.gateway.domain.problems import TooManyError, wrong_field
from shared.alerts.finding import LAST_WEEK
from shared.alerts.grouping import Grouped
from shared.alerts.looking import LENGTHS_S, look_at, past_hour, windows_of
from shared.alerts.rule import AlertRule, Filter
from shared.alerts.slots import Stored
from shared.alerts.versions import KNOWN_S, Compared, Versions
from shared.clock import Clock
from shared.measures.cells import MINUTE, Cell, Series, add_into

Span = tuple[datetime, datetime]
TOO_MANY = "so many operations cannot be summed in time; {}"
SHORTER, NARROWER, LIVE = (
    "take a shorter window",
    "name a model_id",
    "alerts are evaluated all the same",
)


class Minutes(Protocol):
    """Minutes in the system of record."""

    async def minutes(
        self, tenant_id: str, model_id: str | None, span: Span, step_s: int
    ) -> dict[tuple[Series, datetime], Cell]:
        """Sums of minutes."""


class Rows(Protocol):
    """Single operations in the system of record; raises `TooManyError` when time runs out."""

    async def of_agent(
        self, tenant_id: str, model_id: str | None, agent_id: str, span: Span
    ) -> dict[Series, Cell]:
        """What an agent did, by series."""

    async def of_versions(
        self, tenant_id: str, model_id: str | None, span: Span
    ) -> Sequence[Stored]:
        """What versions did, by their slots."""

    async def agent_sent(self, tenant_id: str, wanted: Filter) -> bool:
        """Whether an agent sent anything in the last day that a filter names."""


class Trial:
    """Looks at a rule as metrics does, but at what is stored."""

    def __init__(self, minutes: Minutes, rows: Rows, now: Clock) -> None:
        self._minutes = minutes
        self._rows = rows
        self._now = now

    async def knows_agent(self, tenant_id: str, wanted: Filter) -> bool:
        """Whether a filter's agent sent anything in the last day."""
        return wanted.agent_id is None or await self._rows.agent_sent(tenant_id, wanted)

    async def groups(
        self, tenant_id: str, rule: AlertRule
    ) -> tuple[datetime, list[dict[str, Any]]]:
        """When it was looked at, and what the rule would do to each group."""
        now = self._now()
        try:
            views = await self._views(tenant_id, rule, now)
        except TooManyError as error:
            narrow = LIVE if rule.of_version else SHORTER
            remedy = narrow if rule.filter.model_id else NARROWER
            raise wrong_field("filter", TOO_MANY.format(remedy)) from error
        found = []
        for seen in views:
            cells = {window: seen.cells(window, rule) for window in windows_of(rule)}
            for group in {group for each in cells.values() for group in each}:
                held = {window: each[group] for window, each in cells.items() if group in each}
                finding = look_at(rule, held)
                reason = seen.about(group) + finding.reason
                found.append((group, trial(group, finding._replace(reason=reason))))
        return now, [view for _, view in sorted(found, key=lambda one: one[0])]

    async def _views(
        self, tenant_id: str, rule: AlertRule, now: datetime
    ) -> Sequence[Grouped | Compared]:
        if rule.of_version:
            return await self._versions(tenant_id, rule, now)
        # Every group names its model, so all models can be grouped at once.
        names = windows_of(rule)
        return [Grouped({name: await self._sums(tenant_id, rule, name, now) for name in names})]

    async def _versions(self, tenant_id: str, rule: AlertRule, now: datetime) -> Sequence[Compared]:
        start = (now - timedelta(seconds=KNOWN_S)).replace(minute=0, second=0, microsecond=0)
        span = start, now + timedelta(hours=1)
        models: dict[str, Versions] = {}
        for one in await self._rows.of_versions(tenant_id, rule.filter.model_id, span):
            models.setdefault(one.series.model_id, Versions()).add(one)
        for versions in models.values():
            versions.advance(now.timestamp())
        return [versions.compare(rule, now.timestamp()) for versions in models.values()]

    async def _sums(
        self, tenant_id: str, rule: AlertRule, window: str, now: datetime
    ) -> dict[Series, Cell]:
        span, model_id = _span(window, now), rule.filter.model_id
        if rule.filter.agent_id is not None:
            return await self._rows.of_agent(tenant_id, model_id, rule.filter.agent_id, span)
        # A step that no window is longer than: all of it is added up anyway.
        step_s = 2 * LENGTHS_S["7d"]
        sums: dict[Series, Cell] = {}
        stored = await self._minutes.minutes(tenant_id, model_id, span, step_s)
        for (series, _at), cell in stored.items():
            add_into(sums.setdefault(series, {}), cell)
        return sums


def _span(window: str, now: datetime) -> Span:
    """From when to before when minutes belong to a window of a rule."""
    if window in LAST_WEEK.values():
        start, end = (datetime.fromtimestamp(at, UTC) for at in past_hour(now.timestamp()))
        return start, end
    start = (now - timedelta(seconds=LENGTHS_S[window])).replace(second=0, microsecond=0)
    return start, now + timedelta(seconds=MINUTE)
