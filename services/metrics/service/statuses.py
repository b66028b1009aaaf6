"""Looks at the health of every model of our share, and keeps what it turns into."""

import asyncio
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Protocol

import structlog

from services.metrics.domain.judging import Looks, Turn
from services.metrics.domain.status import Part, Shown, StatusChange, first_look, names_of
from services.metrics.domain.windows import Model, SeriesCells, Windows
from services.metrics.service.alerting import LOOK_AT_MOST_S, FenceOf
from shared import clock
from shared.clock import Clock
from shared.delivery.plan import Partition
from shared.errors import FencedError
from shared.health.limits import LimitsBook
from shared.health.settling import Held
from shared.keys import share_of

STALE_S = 60.0

log = structlog.get_logger()


class Statuses(Protocol):
    """Where statuses live."""

    async def load(self, share: Partition) -> dict[Part, Held] | None:
        """All of a share; `None` when they were lost."""

    async def change(
        self,
        share: Partition,
        epoch: int,
        statuses: Mapping[Part, Held | None],
        changes: Sequence[StatusChange],
    ) -> None:
        """Keep statuses and what changed in one step; `FencedError` when not ours."""


class Record(Protocol):
    """What Postgres knows of health."""

    async def limits(self) -> LimitsBook:
        """All limits."""

    async def last(self, parts: Sequence[Part]) -> dict[Part, Held]:
        """How parts were when that was last told."""


class StatusKeeper:
    """The health of the models whose share belongs to partitions that we consume."""

    def __init__(
        self,
        statuses: Statuses,
        record: Record,
        windows: Callable[[Partition], Windows | None],
        fence_of: FenceOf,
        shares: int,
        now: Clock,
    ) -> None:
        self._statuses = statuses
        self._record = record
        self._windows = windows
        self._fence_of = fence_of
        self._count = shares
        self._now = now
        self._limits: LimitsBook | None = None
        self._looks: dict[Partition, Looks] = {}
        self._shown: dict[Model, Shown] = {}

    async def refresh(self) -> None:
        """Read limits; while Postgres is away those last known hold."""
        self._limits = await self._record.limits()

    def of(self, model: Model, sums: Mapping[str, SeriesCells]) -> Shown:
        """How a model is to be shown; what was not looked at yet is judged as it stands."""
        found = self._shown.get(model)
        return found or first_look(model, sums, (self._limits or LimitsBook()).of(*model))

    async def look(self, ours: Iterable[Partition]) -> None:
        """One look at everything; `ours` are the operations partitions that we consume."""
        held = list(ours)
        for share in self._looks.keys() - set(held):
            self._forget(share)
        for share in held:
            try:
                if self._limits is not None and self._windows(share) is not None:
                    await self._look_at(share, self._limits)
            except FencedError:
                log.info("statuses_fenced", share=share.partition)  # somebody else keeps them now
                self._forget(share)
            except Exception as error:
                log.warning("statuses_deferred", share=share.partition, why=repr(error)[:300])
            known = self._looks.get(share)
            if known and self._now().timestamp() - known.kept_at > STALE_S:
                self._forget(share)  # what was so a minute ago is not to be shown as of now

    async def _look_at(self, share: Partition, limits: LimitsBook) -> None:
        fence = self._fence_of(share)
        windows, now = self._windows(share), self._now().timestamp()
        if fence is None or windows is None:
            return
        epoch = fence.epoch
        ours = self._looks.get(share)
        if ours is None or ours.epoch != epoch:
            self._forget(share)
            ours = self._looks[share] = Looks(epoch, now, now)
        known = await self._load(share, epoch, windows)
        if self._windows(share) is not windows:
            return
        ours.pass_time(now)
        turn, opinions, judged = Turn(), dict(ours.opinions), dict(ours.judged)
        if await self._judge_all(share, ours, limits, windows, known, turn):
            models = {model for model in windows.models() if self._is_of(share, model)}
            turn.statuses |= {part: None for part in known if part.model not in models}
            ours.keep_only(models)
            self._hide_all_but(models, share)
        try:
            await self._keep(share, ours, windows, turn)
        except BaseException:
            # What was not kept is to be said again.
            ours.opinions, ours.judged = opinions, judged
            windows.moved |= turn.judged.keys()
            raise
        ours.kept_at = now

    async def _judge_all(
        self,
        share: Partition,
        ours: Looks,
        limits: LimitsBook,
        windows: Windows,
        known: Mapping[Part, Held],
        turn: Turn,
    ) -> bool:
        """False when the windows were emptied meanwhile: what is not there would seem gone."""
        by_model: dict[Model, dict[Part, Held]] = {}
        for part, held in known.items():
            by_model.setdefault(part.model, {})[part] = held
        undecided = {part.model for part in ours.opinions}
        started = clock.monotonic()
        for model in windows.models():
            if not self._is_of(share, model):
                continue
            asked = limits.of(*model)
            is_same = ours.judged.get(model) is asked
            if model in windows.moved or model in undecided or not is_same:
                # Before the look: what comes during a pause is looked at next time.
                windows.moved.discard(model)
                try:
                    sums, before = windows.sums(model), by_model.get(model, {})
                    now = self._now().timestamp()
                    turn.judge(ours, model, asked, sums, before, now)
                except Exception as error:
                    # Whatever is odd about one model, all the others are looked at.
                    log.error("status_look_failed", why=repr(error)[:300])
            if clock.monotonic() - started > LOOK_AT_MOST_S:
                await asyncio.sleep(0)
                started = clock.monotonic()
                if self._windows(share) is not windows:
                    return False
        return True

    async def _load(self, share: Partition, epoch: int, windows: Windows) -> dict[Part, Held]:
        """The share's statuses; those that Redis has lost come back from Postgres."""
        known = await self._statuses.load(share)
        if known is None:
            # Nothing is awaited between the windows and their parts: they may be emptied.
            models = [one for one in windows.models() if self._is_of(share, one)]
            parts = [part for one in models for part in names_of(one, windows.sums(one))]
            known = await self._record.last(parts)
            await self._statuses.change(share, epoch, known, [])
            log.info("statuses_restored", share=share.partition, statuses=len(known))
        return known

    async def _keep(self, share: Partition, ours: Looks, windows: Windows, turn: Turn) -> None:
        """A status and its change are kept together; then people see it."""
        for statuses, changes in turn.portions():
            await self._statuses.change(share, ours.epoch, statuses, changes)
        if turn.changes:
            log.info("statuses_changed", share=share.partition, changes=len(turn.changes))
        ours.judged |= turn.judged
        for model, one in turn.shown.items():
            if self._shown.get(model) != one:
                self._shown[model] = one
                windows.dirty.add(model)

    def _forget(self, share: Partition) -> None:
        """Neither know a share nor show what was kept of it."""
        self._looks.pop(share, None)
        self._hide_all_but((), share)

    def _hide_all_but(self, models: Container[Model], share: Partition) -> None:
        for model in [one for one in self._shown if self._is_of(share, one) and one not in models]:
            del self._shown[model]

    def _is_of(self, share: Partition, model: Model) -> bool:
        return share_of(*model, self._count) == share.partition
