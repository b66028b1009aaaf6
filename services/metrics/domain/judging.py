"""One look at the health of models: what it changes, and what the next one has to know."""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field

from services.metrics.domain.status import (
    Part,
    Shown,
    Standing,
    StatusChange,
    Windows,
    change_of,
    parts_of,
    shown,
)
from services.metrics.domain.windows import Model
from shared.health.judging import NO_STATES
from shared.health.judging import judge as look
from shared.health.limits import HealthLimits, changed
from shared.health.settling import Held, Opinion, entered_anew, settle

PORTION = 200  # statuses in one script
PAUSE_S = 30.0


@dataclass(slots=True)
class Looks:
    """What is known of a share as long as nobody else owns it."""

    epoch: int
    looked_at: float
    kept_at: float
    """When what a look had found was kept last."""
    opinions: dict[Part, Opinion] = field(default_factory=dict)
    judged: dict[Model, HealthLimits] = field(default_factory=dict)
    """By which limits each model was judged last."""
    interval: float = 0.0

    def pass_time(self, now: float) -> None:
        """Nobody saw what happened in a pause: opinions begin anew."""
        interval = now - self.looked_at
        # Looks at very many models are always far apart.
        if interval > max(PAUSE_S, 2 * self.interval):
            for part in self.opinions:
                self.judged.pop(part.model, None)  # it is to be looked at, moved or not
            self.opinions.clear()
        self.looked_at, self.interval = now, interval

    def keep_only(self, models: Container[Model]) -> None:
        """Forget all others."""
        self.judged = {one: limits for one, limits in self.judged.items() if one in models}
        self.opinions = {one: said for one, said in self.opinions.items() if one.model in models}


@dataclass(slots=True)
class Turn:
    """What one look at a share changes."""

    statuses: dict[Part, Held | None] = field(default_factory=dict)
    changes: dict[Part, StatusChange] = field(default_factory=dict)
    shown: dict[Model, Shown] = field(default_factory=dict)
    judged: dict[Model, HealthLimits] = field(default_factory=dict)

    def portions(self) -> Iterator[tuple[dict[Part, Held | None], list[StatusChange]]]:
        """A few statuses at a time, each with its change."""
        parts = list(self.statuses)
        for start in range(0, len(parts), PORTION):
            some = parts[start : start + PORTION]
            changes = [self.changes[part] for part in some if part in self.changes]
            yield {part: self.statuses[part] for part in some}, changes

    def judge(
        self,
        looks: Looks,
        model: Model,
        limits: HealthLimits,
        sums: Windows,
        known: Mapping[Part, Held],
        now: float,
    ) -> None:
        """Look at every part of a model; `known` is what is kept of them."""
        was_judged_by = looks.judged.pop(model, None)
        is_anew = was_judged_by not in {None, limits}
        cause = changed(was_judged_by, limits) if was_judged_by and is_anew else ""
        standings = {}
        for part, cells in parts_of(model, sums).items():
            before, opinion = known.get(part), looks.opinions.pop(part, None)
            held: Held | None
            if is_anew and before:
                # By other limits it was something else: nothing of that is to be waited for.
                verdict = look(cells, limits)
                held, opinion = entered_anew(before, verdict, now), None
            else:
                verdict = look(cells, limits, before.states if before else NO_STATES)
                held, opinion = settle(before, opinion, verdict, now)
            if opinion:
                looks.opinions[part] = opinion
            if held and held != before:
                self.statuses[part] = held
            if held and (before is None or held.since != before.since):
                self.changes[part] = change_of(part, held, before, verdict, cause if before else "")
            standings[part] = Standing(held, verdict)
        self.statuses |= dict.fromkeys(known.keys() - standings.keys())
        self.shown[model] = shown(model, standings, limits)
        self.judged[model] = limits
