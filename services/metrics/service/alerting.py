"""Looks at every rule of every model of our share, and keeps what follows."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import structlog

from services.metrics.domain.alerting import KeptRule, Place, RuleBook, judge_rule, sums_for
from services.metrics.domain.telling import Home, Kept, event_of, kept
from services.metrics.domain.windows import Model, Windows
from shared import clock
from shared.alerts.grouping import Grouped, is_of
from shared.alerts.machine import Alert, Step, acknowledge, resolve
from shared.alerts.rule import AlertRule
from shared.alerts.versions import Compared
from shared.clock import Clock
from shared.delivery.plan import Fence, Partition
from shared.errors import FencedError
from shared.keys import share_of

LOOK_AT_MOST_S = 0.02  # before others have their turn
PORTION = 200  # alerts in one script
FORGOTTEN_EVERY_S = 60.0
# Ingest may be behind: what it stored more recently than this is not yet missed.
FORGOTTEN_AFTER = timedelta(minutes=5)

log = structlog.get_logger()

FenceOf = Callable[[Partition], Fence | None]
"""A partition's fence, without a wait: looks rest in proportion to what they take, and whoever
waited behind a rebuild would then rest for minutes."""


class Alerts(Protocol):
    """Where alerts live."""

    async def load(self, share: Partition) -> dict[Home, Kept] | None:
        """All of a share; `None` when they were lost."""

    async def change(
        self,
        share: Partition,
        epoch: int,
        alerts: Mapping[Home, Kept | None],
        events: Sequence[bytes],
        ended: Sequence[UUID],
    ) -> None:
        """Keep changes and what to tell in one step; `FencedError` when not ours."""

    async def ended(self, share: Partition) -> set[UUID]:
        """Alerts that have ended in the last day."""


class Record(Protocol):
    """What Postgres knows of alerts."""

    async def rules(self) -> RuleBook:
        """Rules by tenant."""

    async def actions(self) -> Sequence[Any]:
        """What people did to alerts that live."""

    async def live(self, known: RuleBook) -> list[tuple[Home, Kept]]:
        """Alerts that had not ended when they were last told, oldest first."""


class Surroundings(Protocol):
    """What else of this process matters for a look."""

    def windows(self, share: Partition) -> Windows | None:
        """Windows that hold all there is of a share; `None` while they do not."""

    def rows(self, rule: AlertRule, model: Model, deaf_at: float) -> Grouped | Compared | None:
        """What a rule sees that no window can tell; `None` while it is not known."""

    def hears(self) -> bool:
        """Whether events reach us: silence of a log that we cannot read means nothing."""


@dataclass(slots=True)
class _Turn:
    """What one look at a share changes."""

    alerts: dict[Home, Kept | None] = field(default_factory=dict)
    events: dict[Home, list[bytes]] = field(default_factory=dict)
    ended: dict[Home, UUID] = field(default_factory=dict)
    ends: list[tuple[UUID, bytes]] = field(default_factory=list)
    """Last steps of alerts that we have no state of."""

    def put(
        self,
        home: Home,
        one: Kept,
        after: Alert | None,
        steps: Sequence[Step],
        channels: Sequence[UUID] | None = None,
    ) -> None:
        """What became of an alert, and what is to be told of it."""
        self.alerts[home] = one._replace(alert=after) if after else None
        if after is None:
            self.ended[home] = one.alert.alert_id
        for step in steps:
            self.events.setdefault(home, []).append(_told(step, home, one, channels))


def _told(step: Step, home: Home, one: Kept, channels: Sequence[UUID] | None = None) -> bytes:
    event = event_of(step, home, one, channels)
    log.info("alert", state=event.state, rule=event.rule_name, step=step.number)
    return event.model_dump_json(exclude_none=True).encode()


class AlertKeeper:
    """The alerts of the models whose share belongs to partitions that we consume."""

    def __init__(
        self,
        alerts: Alerts,
        record: Record,
        around: Surroundings,
        fence_of: FenceOf,
        shares: int,
        now: Clock,
    ) -> None:
        self._alerts = alerts
        self._record = record
        self._around = around
        self._fence_of = fence_of
        self._shares = shares
        self._now = now
        self._rules: RuleBook | None = None
        self._actions: Sequence[Any] = ()
        self._deaf_at = 0.0
        self._looked_for_forgotten_at: dict[Partition, float] = {}

    def rules(self) -> RuleBook | None:
        """Rules as they were last read."""
        return self._rules

    async def refresh(self) -> None:
        """Read rules and what people did; while Postgres is away the last known rules hold."""
        rules = await self._record.rules()
        if self._rules is None or rules.unreadable != self._rules.unreadable:
            for tenant_id, rule_id in rules.unreadable:
                log.error("alert_rule_unreadable", tenant=tenant_id, rule=str(rule_id))
        self._rules = rules
        self._actions = await self._record.actions()

    async def look(self, ours: Iterable[Partition]) -> None:
        """One look at everything; `ours` are the operations partitions that we consume."""
        if not self._around.hears():
            self._deaf_at = self._now().timestamp()
        for share in list(ours):
            if self._rules is None or self._around.windows(share) is None:
                continue
            try:
                await self._look_at(share, self._rules)
            except FencedError:
                log.info("alerts_fenced", share=share.partition)  # somebody else looks at it now
            except Exception as error:
                log.warning("alerts_deferred", share=share.partition, why=repr(error)[:300])

    async def _look_at(self, share: Partition, rules: RuleBook) -> None:
        fence = self._fence_of(share)
        if fence is None:
            return
        epoch = fence.epoch
        known = await self._load(share, epoch, rules)
        turn = _Turn()
        await self._end_forgotten(turn, share, known, rules)
        self._end_orphans(turn, known, rules)
        self._apply_actions(turn, known)
        by_model: dict[Model, dict[Place, Alert]] = {}
        for home, one in known.items():
            if home not in turn.alerts:
                by_model.setdefault((home.tenant_id, home.model_id), {})[home.place] = one.alert
        windows = self._around.windows(share)
        seen = windows.models() if windows else []
        for model in sorted(set(by_model) | {one for one in seen if self._is_of(share, one)}):
            # They may be emptied while we wait for others: what is not there would seem ended.
            if windows is None or self._around.windows(share) is not windows:
                break
            await self._judge(turn, model, rules, by_model.get(model, {}), windows)
        await self._keep(share, epoch, turn)

    async def _judge(
        self,
        turn: _Turn,
        model: Model,
        rules: RuleBook,
        alerts: Mapping[Place, Alert],
        windows: Windows,
    ) -> None:
        times = windows.arrived.get(model, {})
        heard = {series: max(at, self._deaf_at) for series, at in times.items()}
        asked = rules.by_tenant.get(model[0], ())
        grouped = Grouped(sums_for(asked, model, windows), heard)
        started = clock.monotonic()
        for rule in asked:
            try:
                self._judge_rule(turn, model, rule, alerts, grouped)
            except Exception as error:
                # Whatever is odd about one rule, all the others are looked at.
                log.error("alert_look_failed", rule=str(rule.rule_id), why=repr(error)[:300])
            if clock.monotonic() - started > LOOK_AT_MOST_S:
                await asyncio.sleep(0)
                started = clock.monotonic()

    def _judge_rule(
        self,
        turn: _Turn,
        model: Model,
        rule: KeptRule,
        alerts: Mapping[Place, Alert],
        grouped: Grouped,
    ) -> None:
        seen: Grouped | Compared | None = grouped
        if rule.rule.needs_rows:
            seen = self._around.rows(rule.rule, model, self._deaf_at)
        if seen is None:
            return
        for place, alert, steps in judge_rule(rule, alerts, seen, self._now()):
            home = Home(model[0], place)
            if home not in turn.alerts:  # else somebody has just done something to it: next time
                one = kept(alert or steps[-1].alert, home, rule)
                turn.put(home, one, alert, steps, rule.rule.channels)

    def _end_orphans(self, turn: _Turn, known: Mapping[Home, Kept], rules: RuleBook) -> None:
        """Alerts that no rule looks at any more end: nothing else would ever end them."""
        for home, one in known.items():
            rule = rules.rule(home.tenant_id, home.place.rule_id)
            is_ours = rule is not None and is_of(rule, home.place.group)
            if not is_ours and (home.tenant_id, home.place.rule_id) not in rules.unreadable:
                why = "Its rule is gone, off, or looks elsewhere now."
                turn.put(home, one, *resolve(one.alert, None, why, self._now()))

    def _apply_actions(self, turn: _Turn, known: Mapping[Home, Kept]) -> None:
        by_id = {(home.tenant_id, one.alert.alert_id): home for home, one in known.items()}
        for action in self._actions:
            home = by_id.get((action.tenant_id, action.alert_id))
            one = turn.alerts.get(home, known[home]) if home else None
            if home is None or one is None or _is_done(one.alert, action):
                continue
            if action.action == "resolve":
                after, steps = resolve(one.alert, action.actor, action.note, action.at)
            else:
                after, steps = acknowledge(
                    one.alert, action.until, action.actor, action.note, action.at
                )
            if after is not None:
                after = replace(after, acted=(*after.acted, action.action_id))
            turn.put(home, one, after, steps)

    async def _end_forgotten(
        self, turn: _Turn, share: Partition, known: Mapping[Home, Kept], rules: RuleBook
    ) -> None:
        """Alerts that were told and that Redis does not know: it lost its last second."""
        looked_at = self._looked_for_forgotten_at.get(share, -FORGOTTEN_EVERY_S)
        if clock.monotonic() - looked_at < FORGOTTEN_EVERY_S:
            return
        self._looked_for_forgotten_at[share] = clock.monotonic()
        try:
            told, ended = await self._record.live(rules), await self._alerts.ended(share)
        except Exception as error:
            log.warning("forgotten_deferred", why=repr(error)[:200])
            return
        ids = ended | {one.alert.alert_id for one in known.values()}
        for home, one in told:
            is_old = self._now() - one.alert.told_at > FORGOTTEN_AFTER
            is_ours = self._is_of(share, (home.tenant_id, home.model_id))
            if is_ours and is_old and one.alert.alert_id not in ids:
                why = "Its state was lost with Redis' last second; what is bad is told anew."
                _, steps = resolve(one.alert, None, why, self._now())
                turn.ends += [(one.alert.alert_id, _told(step, home, one)) for step in steps]

    async def _load(self, share: Partition, epoch: int, rules: RuleBook) -> dict[Home, Kept]:
        """The share's alerts; those that Redis has lost come back from Postgres."""
        known = await self._alerts.load(share)
        if known is None:
            live = await self._record.live(rules)
            known = {
                home: one
                for home, one in live
                if self._is_of(share, (home.tenant_id, home.model_id))
            }
            await self._alerts.change(share, epoch, known, [], [])
            log.info("alerts_restored", share=share.partition, alerts=len(known))
        return known

    async def _keep(self, share: Partition, epoch: int, turn: _Turn) -> None:
        """An alert and what is told of it are kept together; many alerts, in portions."""
        if turn.ends:
            ids, events = [one for one, _ in turn.ends], [event for _, event in turn.ends]
            await self._alerts.change(share, epoch, {}, events, ids)
        homes = list(turn.alerts)
        for start in range(0, len(homes), PORTION):
            portion = homes[start : start + PORTION]
            events = [event for home in portion for event in turn.events.get(home, ())]
            changes = {home: turn.alerts[home] for home in portion}
            ended = [turn.ended[home] for home in portion if home in turn.ended]
            await self._alerts.change(share, epoch, changes, events, ended)

    def _is_of(self, share: Partition, model: Model) -> bool:
        return share_of(*model, self._shares) == share.partition


def _is_done(alert: Alert, action: Any) -> bool:
    before: datetime | None = alert.restored_at
    return action.action_id in alert.acted or (before is not None and action.at <= before)
