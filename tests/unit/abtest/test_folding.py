"""Folding in any order and any cut equals reckoning from all rows at once, to the last digit."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from services.abtest.domain.batch import unrepeated
from services.abtest.domain.folding import (
    ArmChange,
    ArmName,
    Pasts,
    Rows,
    by_unit,
    fold,
    places_of,
    remakings,
)
from services.abtest.domain.live import LiveTest, Tests
from services.abtest.domain.past import Past
from services.abtest.domain.rows import NOTHING, TOTALS, Candidate, Limits, UnitKey
from services.abtest.domain.units import BLANK, UnitState, placed, with_totals
from shared.experiments.moments import Moments
from tests.support.abtest import TEST_ID, SlowArm, arms_of, at, live

HALVES = {"a": 0.5, "b": 0.5, "c": 0.0}
TESTS = (
    live(),
    live({"a": 0.3, "b": 0.3, "c": 0.4}, HALVES),
    live({"a": 0.3, "b": 0.3, "c": 0.4}, HALVES, {"a": 1.0, "b": 0.0, "c": 0.0}),
)
SMALL = st.none() | st.integers(0, 1)


@st.composite
def rows_of(draw: st.DrawFn, test: LiveTest) -> list[Candidate]:
    """Rows of a few units; places are what a hash would say, more or less."""
    found = []
    for number in range(draw(st.integers(1, 25))):
        kind = draw(st.sampled_from("oooffe"))
        epoch = draw(st.integers(1, len(test.epochs)))
        unit = draw(st.sampled_from(["u1", "u2", "u3", "u4"]))
        usual = "abc"[: len(test.models)][(int(unit[1]) + epoch // 3) % len(test.models)]
        variant = usual if draw(st.integers(0, 7)) else draw(st.sampled_from(list(test.models)))
        hour = draw(st.integers(0, 6)) + 24 * (epoch - 1)
        values: dict[str, Any] = {}
        if kind == "o":
            values = {
                "is_crossed": draw(st.booleans()),
                "bin": draw(st.integers(0, 3)),
                "ok": draw(st.integers(0, 1)),
                "ln": draw(st.integers(-5_000_000, 20_000_000)),
                "slow": draw(st.integers(0, 1)),
                "tok": draw(st.none() | st.integers(0, 10**6)),
                "cost": draw(st.none() | st.integers(0, 10**13)),
                "conf": draw(st.none() | st.integers(0, 10**6)),
            }
        elif kind == "f":
            aspects = ("helpful", "accurate", "relevant", "fast")
            values = {name: draw(SMALL) for name in aspects}
            values["rating"] = draw(st.none() | st.integers(1, 5))
        else:
            values = {"is_crossed": not draw(st.integers(0, 5))}
        found.append(
            Candidate(
                *("acme", TEST_ID, UUID(int=number), at(hour), kind, unit, None, epoch, variant),
                at(hour),
                **values,
            )
        )
    return found


@st.composite
def _deliveries(draw: st.DrawFn) -> tuple[LiveTest, list[list[Candidate]]]:
    """A test, and its rows in any order, some twice, in batches."""
    test = draw(st.sampled_from(TESTS))
    rows = draw(rows_of(test))
    again = draw(st.lists(st.sampled_from(rows), max_size=8))
    order = draw(st.permutations([*rows, *again]))
    batches, rest = [], list(order)
    while rest:
        size = draw(st.integers(1, len(rest)))
        batches.append(rest[:size])
        rest = rest[size:]
    return test, batches


class Memory:
    """What the database does, in dictionaries."""

    def __init__(self, test: LiveTest, pasts: Pasts | None = None) -> None:
        self.tests = {"acme": {test.test_id: test}}
        self.pasts = pasts or {}
        self.rows: dict[Any, Candidate] = {}
        self.units: dict[UnitKey, UnitState] = {}
        self.arms: dict[ArmName, ArmChange] = defaultdict(ArmChange)
        self.days: Counter[date] = Counter()

    def keep(self, batch: list[Candidate]) -> None:
        """One transaction."""
        new = [row for row in unrepeated(batch) if row.identity not in self.rows]
        self.rows |= {row.identity: row for row in new}
        self.change(by_unit(new), self.tests)

    def change(self, fresh: Rows, tests: Tests) -> None:
        """The same, by a test as the transaction knows it."""
        stored = {key: self.units.get(key, BLANK) for key in fresh}
        places = places_of(stored, fresh, tests, self.pasts)
        again = remakings(stored, places, fresh, tests)
        for row in self.rows.values():  # a portion each
            if row.key in again:
                again[row.key].add([row])
        remade = {key: one.made for key, one in again.items()}
        changes = fold(stored, places, fresh, remade, tests)
        self.units |= changes.units
        for (_, _, day), count in changes.days.items():
            self.days[day] += count
        for name, arm in changes.arms.items():
            self._add(self.arms[name], arm)

    def _add(self, to: ArmChange, arm: ArmChange) -> None:
        for count in ("units", "multiple", "operations", "crossovers"):
            setattr(to, count, getattr(to, count) + getattr(arm, count))
        for metric, sums in arm.sums.items():
            before = to.sums.get(metric, [0] * len(sums))
            to.sums[metric] = [a + b for a, b in zip(before, sums, strict=True)]
        to.ratings = [a + b for a, b in zip(to.ratings, arm.ratings, strict=True)]
        for group, bins in arm.bins.items():
            for key, count in bins.items():
                to.bins[group][key] += count

    def read(self) -> dict[tuple[int, str], SlowArm]:
        """Arms that hold anybody."""
        return {
            (name.epoch, name.variant): SlowArm(
                *(arm.units, arm.multiple, arm.operations, arm.crossovers),
                {m: Moments(*sums) for m, sums in arm.sums.items() if any(sums)},
                [{k: n for k, n in arm.bins[group].items() if n} for group in range(20)],
                arm.ratings,
            )
            for name, arm in self.arms.items()
            if arm.units or arm.multiple
        }


def whole(
    rows: Sequence[Candidate], test: LiveTest, past: tuple[int, ...] | None = None
) -> UnitState:
    """A unit from all its rows at once."""
    state = placed(BLANK, rows, test)._replace(past=past)
    return with_totals(state, state.counted(rows), NOTHING, test.past.limits)


@settings(max_examples=300)
@given(_deliveries())
def test_any_order_any_cut_and_repeats_amount_to_all_rows_at_once(
    made: tuple[LiveTest, list[list[Candidate]]],
) -> None:
    test, batches = made
    memory = Memory(test)
    for batch in batches:
        memory.keep(batch)
    assert memory.read() == arms_of(memory.rows.values(), test)
    for key, rows in by_unit(memory.rows.values()).items():
        assert memory.units[key] == whole(rows, test)


@st.composite
def _pasts(draw: st.DrawFn) -> dict[UnitKey, tuple[int, ...]]:
    """What some units did before the test: totals where they did anything of the kind."""
    found = {}
    for unit in sorted(draw(st.sets(st.sampled_from(["u1", "u2", "u3", "u4"])))):
        totals = dict.fromkeys(TOTALS, 0)
        for name in ("n", "tok_n", "cost_n", "conf_n", "rating_n", "helpful_n", "fast_n"):
            totals[name] = draw(st.integers(0, 3))
            of = ("ok", "ln", "slow") if name == "n" else (name.removesuffix("_n"),)
            for one in of:
                totals[one] = totals[name] * draw(st.integers(0, 5)) + bool(totals[name])
        found[UnitKey("acme", TEST_ID, unit)] = tuple(totals.values())
    return found


PAST = Past(True, True, True, Limits(tok=900, cost=400))


@settings(max_examples=300)
@given(_deliveries(), _pasts(), st.data())
def test_with_a_past_that_is_made_in_between_it_amounts_to_all_rows_at_once(
    made: tuple[LiveTest, list[list[Candidate]]],
    pasts: dict[UnitKey, tuple[int, ...]],
    data: st.DataObject,
) -> None:
    before, batches = made
    after = replace(before, past=PAST)
    memory = Memory(before, pasts)
    made_at = data.draw(st.integers(0, len(batches)), label="made at")
    for place, batch in enumerate(batches):
        # A transaction that began before may still keep its units without it.
        is_late = place >= made_at and data.draw(st.booleans(), label="late")
        memory.tests = {"acme": {TEST_ID: before if place < made_at or is_late else after}}
        memory.keep(batch)
    without = {key: [] for key, unit in memory.units.items() if unit.past is None}
    memory.change(without, {"acme": {TEST_ID: after}})
    assert memory.read() == arms_of(memory.rows.values(), after, pasts)
    for key, rows in by_unit(memory.rows.values()).items():
        assert memory.units[key] == whole(rows, after, pasts.get(key, NOTHING))


@settings(max_examples=50)
@given(_deliveries())
def test_arms_that_nobody_is_in_any_more_hold_nothing(
    made: tuple[LiveTest, list[list[Candidate]]],
) -> None:
    test, batches = made
    memory = Memory(test)
    for batch in batches:
        memory.keep(batch)
    for arm in memory.arms.values():
        if not arm.units:
            assert not any(any(sums) for sums in arm.sums.values())
            assert not any(any(bins.values()) for bins in arm.bins.values())
            assert arm.operations == arm.crossovers == 0
    assert sum(memory.days.values()) == sum(arm.units for arm in memory.arms.values())
