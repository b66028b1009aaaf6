"""Looks at every rule of every model of our share, and keeps what follows."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import structlog

from services.metrics.domain.alerting import KeptRule, Place, Seen, judge_model
from services.metrics.domain.telling import Home, Kept, event_of, kept
from services.metrics.domain.windows import Model, Windows
from shared.alerts.machine import Alert, Step, acknowledge, resolve
from shared.clock import Clock
from shared.delivery.plan import Fence, Partition
from shared.errors import FencedError
from shared.keys import share_of

ACTIONS_OF = timedelta(minutes=15)
MODELS_AT_ONCE = 25

log = structlog.get_logger()

Rules = Mapping[str, Sequence[KeptRule]]
Holding = Callable[[Partition], AbstractAsyncContextManager[Fence | None]]


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
    ) -> None:
        """Keep changes and what is to be told in one step; `FencedError` when not ours."""


class Record(Protocol):
    """What Postgres knows of alerts."""

    async def rules(self) -> Rules:
        """Rules by tenant."""

    async def actions(self, since: datetime) -> Sequence[Any]:
        """What people did since then."""

    async def live(self, known: Rules) -> dict[Home, Kept]:
        """Alerts that had not ended when they were last told."""


@dataclass(slots=True)
class _Turn:
    """What one look at a share changes."""

    alerts: dict[Home, Kept | None] = field(default_factory=dict)
    events: list[bytes] = field(default_factory=list)


class AlertKeeper:
    """The alerts of the models whose share belongs to partitions that we consume."""

    def __init__(
        self,
        alerts: Alerts,
        record: Record,
        windows: Callable[[], Windows],
        holding: Holding,
        shares: int,
        now: Clock,
    ) -> None:
        self._alerts = alerts
        self._record = record
        self._windows = windows
        self._holding = holding
        self._shares = shares
        self._now = now
        self._rules: Rules | None = None
        self._actions: Sequence[Any] = ()

    async def refresh(self) -> None:
        """Read rules and what people did; while Postgres is away the last known rules hold."""
        self._actions = ()
        self._rules = await self._record.rules()
        self._actions = await self._record.actions(self._now() - ACTIONS_OF)

    async def look(self, ours: Iterable[Partition]) -> None:
        """One look at everything; `ours` are the operations partitions that we consume."""
        if self._rules is None:
            return
        for share in list(ours):
            try:
                await self._look_at(share, self._rules)
            except FencedError:
                log.info("alerts_fenced", share=share.partition)  # somebody else looks at it now

    async def _look_at(self, share: Partition, rules: Rules) -> None:
        async with self._holding(share) as fence:
            epoch = fence.epoch if fence else None
        if epoch is None:
            return
        known = await self._load(share, epoch, rules)
        turn = _Turn()
        self._end_orphans(turn, known, rules)
        self._apply_actions(turn, known)
        by_model: dict[Model, dict[Place, Alert]] = {}
        for home, one in known.items():
            if home not in turn.alerts:
                by_model.setdefault((home.tenant_id, home.model_id), {})[home.place] = one.alert
        windows, models = self._windows(), set(by_model)
        models |= {one for one in windows.models() if self._share(one) == share.partition}
        for number, model in enumerate(sorted(models)):
            if number % MODELS_AT_ONCE == MODELS_AT_ONCE - 1:
                await asyncio.sleep(0)
            self._judge(turn, model, rules.get(model[0], ()), by_model.get(model, {}), windows)
        if turn.alerts:
            await self._alerts.change(share, epoch, turn.alerts, turn.events)

    def _judge(
        self,
        turn: _Turn,
        model: Model,
        rules: Sequence[KeptRule],
        alerts: Mapping[Place, Alert],
        windows: Windows,
    ) -> None:
        seen = Seen(windows.sums(model), windows.arrived.get(model, {}))
        by_id = {one.rule_id: one for one in rules}
        for place, alert, steps in judge_model(rules, alerts, seen, self._now()):
            home, rule = Home(model[0], place), by_id[place.rule_id]
            if home in turn.alerts:
                continue  # somebody has just done something to it: next time
            now_kept = kept(alert or steps[-1].alert, home, rule)
            turn.alerts[home] = now_kept if alert else None
            _add(turn, home, now_kept, steps, rule.rule.channels)

    def _end_orphans(self, turn: _Turn, known: Mapping[Home, Kept], rules: Rules) -> None:
        """Alerts whose rule is gone or switched off end."""
        ids = {one.rule_id for each in rules.values() for one in each}
        for home, one in known.items():
            if home.place.rule_id not in ids:
                _, steps = resolve(one.alert, None, "Its rule is gone or off.", self._now())
                turn.alerts[home] = None
                _add(turn, home, one, steps)

    def _apply_actions(self, turn: _Turn, known: Mapping[Home, Kept]) -> None:
        by_id = {one.alert.alert_id: home for home, one in known.items()}
        for action in self._actions:
            home = by_id.get(action.alert_id)
            one = turn.alerts.get(home, known[home]) if home else None
            if home is None or one is None or _is_done(one.alert, action.at):
                continue
            if action.action == "resolve":
                after, steps = resolve(one.alert, action.actor, action.note, action.at)
            else:
                after, steps = acknowledge(
                    one.alert, action.until, action.actor, action.note, action.at
                )
            if steps:
                turn.alerts[home] = one._replace(alert=after) if after else None
                _add(turn, home, one, steps)

    async def _load(self, share: Partition, epoch: int, rules: Rules) -> dict[Home, Kept]:
        """The share's alerts; those that Redis has lost come back from Postgres."""
        known = await self._alerts.load(share)
        if known is None:
            live = await self._record.live(rules)
            known = {
                home: one
                for home, one in live.items()
                if self._share((home.tenant_id, home.model_id)) == share.partition
            }
            await self._alerts.change(share, epoch, known, [])
            log.info("alerts_restored", share=share.partition, alerts=len(known))
        return known

    def _share(self, model: Model) -> int:
        return share_of(*model, self._shares)


def _is_done(alert: Alert, at: datetime) -> bool:
    return alert.acted_at is not None and alert.acted_at >= at


def _add(
    turn: _Turn,
    home: Home,
    one: Kept,
    steps: Sequence[Step],
    channels: Sequence[UUID] | None = None,
) -> None:
    for step in steps:
        event = event_of(step, home, one, channels)
        turn.events.append(event.model_dump_json(exclude_none=True).encode())
        log.info(
            "alert", state=event.state, rule=event.rule_name, model=event.model_id, step=step.number
        )
