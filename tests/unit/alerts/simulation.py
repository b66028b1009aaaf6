"""A model's days, event time compressed, through the real windows and the real rules."""

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import NamedTuple
from uuid import UUID, uuid5

import numpy as np

from services.metrics.domain.alerting import KeptRule, judge_rule
from services.metrics.domain.alerting import Place as AlertPlace
from services.metrics.domain.windows import Place, Windows
from shared.alerts.grouping import Grouped
from shared.alerts.machine import Alert, State, Step
from shared.alerts.rule import AlertRule
from shared.keys import HOUR_CELLS, MINUTE_CELLS
from shared.measures.cells import HOUR, MINUTE, Cell, Series, add_into
from shared.measures.sketch import key_of

TENANT, SERIES = "acme", Series("m", "production", "chat", "")
RULES = UUID(int=5)
BEGIN = 1_800_000_000.0 // HOUR * HOUR


class Days(NamedTuple):
    """How a model does: its traffic, and the share that succeeds at a time (seconds from start)."""

    per_hour: float
    succeeds: Callable[[float], float]
    every_s: float = 5.0


class Told(NamedTuple):
    """A step, and when."""

    after_s: float
    rule: str
    step: Step


def lived(days: Days, length_s: float, rules: Sequence[AlertRule], seed: int) -> Iterator[Told]:
    """Every step of every alert in that time."""
    chance = np.random.default_rng(seed)
    kept = [KeptRule(uuid5(RULES, rule.name), rule) for rule in rules]
    names = {one.rule_id: one.rule.name for one in kept}
    windows, alerts = Windows(BEGIN), dict[AlertPlace, Alert]()
    minute, hour = _Open(MINUTE_CELLS, MINUTE), _Open(HOUR_CELLS, HOUR)
    for tick in range(int(length_s / days.every_s)):
        at = (tick + 1) * days.every_s
        now = BEGIN + at
        windows.advance(now)
        count = int(chance.poisson(days.per_hour * days.every_s / HOUR))
        if count:
            more = _cell(chance, count, days.succeeds(at))
            for cell in (minute, hour):
                cell.add(windows, now, more)
        model = TENANT, SERIES.model_id
        grouped = Grouped(windows.sums(model), windows.arrived.get(model, {}))
        looked_at = datetime.fromtimestamp(now, UTC)
        changes = [judge_rule(rule, alerts, grouped, looked_at) for rule in kept]
        for place, alert, steps in chain.from_iterable(changes):
            if alert is None:
                del alerts[place]
            else:
                alerts[place] = alert
            yield from (Told(at, names[place.rule_id], step) for step in steps)


class _Open:
    """The cell that is being filled."""

    def __init__(self, resolution: str, step: int) -> None:
        self._resolution, self._step = resolution, step
        self._start = 0
        self._cell: Cell = {}

    def add(self, windows: Windows, now: float, more: Cell) -> None:
        start = int(now) // self._step * self._step
        if start != self._start:
            self._start, self._cell = start, {}
        add_into(self._cell, more)
        windows.put(Place("p", self._resolution, TENANT, start), {SERIES: dict(self._cell)})


def _cell(chance: np.random.Generator, count: int, succeeds: float) -> Cell:
    """Operations as they are: lognormal times, calibrated confidence, a rating now and then."""
    cell: Cell = {"n": count, "ok": int(chance.binomial(count, succeeds)), "cost_n": count}
    cell["cost_nano"] = 200_000 * count
    for ms in np.exp(chance.normal(math.log(900), 0.6, count)):
        name = f"d:{key_of(ms)}"
        cell[name] = cell.get(name, 0) + 1
        cell["rt_us"] = cell.get("rt_us", 0) + round(ms * 1000)
    rated = int(chance.binomial(count, 0.1))
    if rated:
        stars = 3 + chance.binomial(2, 0.7, rated)
        total, squares = int(stars.sum()), int((stars**2).sum())
        cell |= {"f_n": rated, "rating_n": rated, "rating": total, "rating2": squares}
    said = chance.beta(8, 1.5, count)
    came = chance.random(count) < said
    places = np.minimum((said * 10).astype(int), 9)
    cell |= {"conf_n": count, "conf": round(said.sum() * 1e6)}
    for place in np.unique(places):
        here = places == place
        cell |= {
            f"k:{place}:n": int(here.sum()),
            f"k:{place}:c": round(said[here].sum() * 1e6),
            f"k:{place}:o": int(came[here].sum()),
        }
    return cell


def fired(told: Sequence[Told]) -> list[Told]:
    """Only the first firing of each alert."""
    seen, first = set(), []
    for one in told:
        if one.step.alert.state is State.FIRING and one.step.alert.alert_id not in seen:
            seen.add(one.step.alert.alert_id)
            first.append(one)
    return first
