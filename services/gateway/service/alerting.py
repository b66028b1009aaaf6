"""What people do with rules and alerts."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID

from services.gateway.domain.alerts import Acknowledgement, Action, alert_view, rule_view
from services.gateway.domain.problems import Problem, wrong_field
from services.gateway.service.trying import Trial
from shared.alerts.rule import AlertRule, Filter
from shared.clock import Clock

MOST_RULES = 200
ACKNOWLEDGED_FOR = timedelta(hours=4)
LONGEST = timedelta(days=30)
LIVE = ("pending", "firing", "acknowledged")

Row = Any  # a row of the store: members by column
KnownChannels = Callable[[str, Collection[UUID]], Awaitable[set[UUID]]]
"""Of a tenant and some ids: those that are channels."""


class Store(Protocol):
    """Where rules and alerts stay."""

    async def rule(self, tenant_id: str, rule_id: UUID) -> Row | None:
        """One rule."""

    async def count_rules(self, tenant_id: str) -> int:
        """How many there are."""

    async def anything_matches(self, tenant_id: str, wanted: Filter) -> bool:
        """Whether the tenant ever sent what a filter names."""

    async def add_rule(self, tenant_id: str, rule_id: UUID, body: str, actor: str) -> Row:
        """Keep a new rule."""

    async def replace_rule(self, tenant_id: str, rule_id: UUID, body: str) -> Row | None:
        """Put a rule in another's place."""

    async def alert(self, tenant_id: str, alert_id: UUID) -> tuple[Row, Sequence[Row]] | None:
        """One alert and its history."""

    async def act(self, tenant_id: str, done: Action) -> None:
        """Keep what somebody did."""


class Alerting:
    """Rules and alerts of one tenant at a time."""

    def __init__(
        self,
        store: Store,
        known_channels: KnownChannels,
        trial: Trial,
        now: Clock,
        new_id: Callable[[], UUID],
    ) -> None:
        self._store = store
        self._known_channels = known_channels
        self._trial = trial
        self._now = now
        self._new_id = new_id

    async def add(self, tenant_id: str, rule: AlertRule, actor: str) -> dict[str, Any]:
        """Keep a new rule."""
        await self._check(tenant_id, rule)
        if await self._store.count_rules(tenant_id) >= MOST_RULES:
            raise wrong_field("", f"a tenant has at most {MOST_RULES} rules; remove one first")
        body = rule.model_dump_json()
        return rule_view(await self._store.add_rule(tenant_id, self._new_id(), body, actor))

    async def replace(self, tenant_id: str, rule_id: UUID, rule: AlertRule) -> dict[str, Any]:
        """Put a rule in another's place; its alerts go on under the new one."""
        await self._check(tenant_id, rule)
        row = await self._store.replace_rule(tenant_id, rule_id, rule.model_dump_json())
        if row is None:
            raise no_rule(rule_id)
        return rule_view(row)

    async def test(self, tenant_id: str, rule_id: UUID) -> dict[str, Any]:
        """Evaluate a rule now, from what is stored, and tell nobody."""
        row = await self._store.rule(tenant_id, rule_id)
        if row is None:
            raise no_rule(rule_id)
        rule = AlertRule.model_validate_json(row["body"])
        now, groups = await self._trial.groups(tenant_id, rule)
        return {"rule_id": rule_id, "as_of": now, "groups": groups}

    async def preview(self, tenant_id: str, rule: AlertRule) -> dict[str, Any]:
        """The same of a rule that nobody has kept yet; refused as it would be when kept."""
        await self._check(tenant_id, rule)
        now, groups = await self._trial.groups(tenant_id, rule)
        return {"as_of": now, "groups": groups}

    async def resolve(
        self, tenant_id: str, alert_id: UUID, note: str, actor: str
    ) -> dict[str, Any]:
        """End an alert; metrics tells it within seconds."""
        shown = await self._live(tenant_id, alert_id)
        done = Action(self._new_id(), alert_id, "resolve", None, note, actor)
        await self._store.act(tenant_id, done)
        return shown | {"state": "resolved", "resolved_at": self._now()}

    async def acknowledge(
        self, tenant_id: str, alert_id: UUID, taken: Acknowledgement, actor: str
    ) -> dict[str, Any]:
        """Take an alert over for a while; metrics tells it within seconds."""
        now = self._now()
        until = taken.until or now + ACKNOWLEDGED_FOR
        if not now < until <= now + LONGEST:
            raise wrong_field("until", f"must lie ahead, by at most {LONGEST.days} days")
        shown = await self._live(tenant_id, alert_id)
        if shown["state"] == "pending":
            raise Problem("conflict", "The alert does not fire yet; there is nothing to take.")
        done = Action(self._new_id(), alert_id, "acknowledge", until, taken.note, actor)
        await self._store.act(tenant_id, done)
        return shown | {"state": "acknowledged", "acknowledged_until": until}

    async def _live(self, tenant_id: str, alert_id: UUID) -> dict[str, Any]:
        found = await self._store.alert(tenant_id, alert_id)
        if found is None:
            raise no_alert(alert_id)
        if found[0]["state"] not in LIVE:
            raise Problem("conflict", "The alert has ended; nothing can be done to it any more.")
        return alert_view(found[0])

    async def _check(self, tenant_id: str, rule: AlertRule) -> None:
        unknown = set(rule.channels or ()) - await self._known_channels(
            tenant_id, rule.channels or ()
        )
        if unknown:
            names = ", ".join(sorted(map(str, unknown)))
            raise wrong_field("channels", f"there is no channel {names}; leave it out for all")
        if rule.filter != Filter() and not await self._store.anything_matches(
            tenant_id, rule.filter
        ):
            raise wrong_field("filter", "matches nothing that was ever sent; check the names")
        if not await self._trial.knows_agent(tenant_id, rule.filter):
            raise wrong_field("filter", "its agent sent nothing in the last day; check the names")


def no_rule(rule_id: UUID) -> Problem:
    """The 404 of a rule."""
    return Problem("not-found", f"There is no alert rule {rule_id}.")


def no_alert(alert_id: UUID) -> Problem:
    """The 404 of an alert."""
    return Problem("not-found", f"There is no alert {alert_id}.")
