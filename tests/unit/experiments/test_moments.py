"""Sums of units: any order, any shards, any batches, the same integers."""

import random
from collections.abc import Iterable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.experiments import estimators, spread
from shared.experiments.estimators import Arm
from shared.experiments.moments import (
    EMPTY,
    Moments,
    Unit,
    event,
    folded,
    joined,
    merged,
    of_unit,
    of_units,
)

WHOLE = st.integers(-(10**15), 10**15)
EVENTS = st.lists(
    st.tuples(st.sampled_from("uvwxyz"), WHOLE, st.integers(0, 50)), max_size=60
)  # unit, e, f
UNITS = st.lists(st.builds(Unit, WHOLE, WHOLE, WHOLE, WHOLE, st.integers(0, 1)), max_size=30)
PAST = {name: Unit(0, 0, 7 * i, i, int(i > 0)) for i, name in enumerate("uvwxyz")}


def by_event(events: Iterable[tuple[str, int, int]]) -> Moments:
    """As they arrive: each event moves the sums by what it changes."""
    arm, rows = EMPTY, {}
    for name, e, f in events:
        if name not in rows:
            rows[name] = PAST[name]
            arm = joined(arm, rows[name])
        arm, rows[name] = event(arm, rows[name], e, f)
    return arm


def in_one_pass(events: Iterable[tuple[str, int, int]]) -> Moments:
    totals = folded(events)
    return of_units(PAST[name]._replace(m=m, d=d) for name, (m, d) in totals.items())


@given(EVENTS)
def test_events_move_the_sums_to_those_of_one_pass(events: list[tuple[str, int, int]]) -> None:
    assert by_event(events) == in_one_pass(events)


@given(EVENTS, st.randoms())
def test_the_order_of_events_is_nothing(
    events: list[tuple[str, int, int]], chance: random.Random
) -> None:
    mixed = events.copy()
    chance.shuffle(mixed)
    assert by_event(mixed) == by_event(events)


@given(EVENTS, st.integers(0, 60))
def test_a_batch_is_its_events(events: list[tuple[str, int, int]], cut: int) -> None:
    """Folded twice, as two batches: the second finds rows that the first has left."""
    batches = [
        (name, *total)
        for part in (events[:cut], events[cut:])
        for name, total in folded(part).items()
    ]
    assert by_event(batches) == by_event(events)


@given(EVENTS)
def test_an_event_of_nothing_changes_nothing(events: list[tuple[str, int, int]]) -> None:
    """What a duplicate is after it was found to be one."""
    doubled = [one for name, e, f in events for one in ((name, e, f), (name, 0, 0))]
    assert by_event(doubled) == by_event(events)


@given(EVENTS)
def test_shards_of_disjoint_units_add_up(events: list[tuple[str, int, int]]) -> None:
    shards = [by_event(one for one in events if one[0] in names) for names in ("uvw", "xyz")]
    assert merged(*shards) == by_event(events)


@given(UNITS, UNITS, UNITS)
def test_merging_is_addition(one: list[Unit], two: list[Unit], three: list[Unit]) -> None:
    a, b, c = of_units(one), of_units(two), of_units(three)
    assert merged(a, b) == merged(b, a) == of_units([*one, *two])
    assert merged(merged(a, b), c) == merged(a, merged(b, c))
    assert merged(a, EMPTY) == a


@given(UNITS.filter(lambda units: len(units) > 1))
def test_estimates_of_integers_are_those_of_fractions(units: list[Unit]) -> None:
    """No digit is lost on the way, whatever the size of the sums."""
    n = len(units)
    centre = Fraction(sum(unit.m for unit in units), n)
    variance = sum((unit.m - centre) ** 2 for unit in units) / (n - 1)
    found = estimators.mean(of_units(units))
    assert found == Arm(n, float(centre), float(variance), n, float(sum(u.d for u in units)))


def test_fractions_stay_exact() -> None:
    third = of_unit(Unit(Fraction(1, 3), 1))
    assert merged(third, third).mm == Fraction(2, 9)


FLOATS = st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), max_size=40)


@given(FLOATS, st.integers(0, 40))
def test_spreads_merge_to_that_of_one_pass(pairs: list[tuple[float, float]], cut: int) -> None:
    whole = spread.of_units(pairs)
    parts = spread.merged(spread.of_units(pairs[:cut]), spread.of_units(pairs[cut:]))
    assert parts[:6] == pytest.approx(whole[:6], rel=1e-9, abs=1e-3)


def test_a_mean_of_a_billion_with_a_deviation_of_one() -> None:
    chance = random.Random(1)
    values = [1e9 + chance.gauss(0, 1) for _ in range(5_000)]
    exact = [Fraction(x) for x in values]
    centre = sum(exact) / len(exact)
    variance = float(sum((x - centre) ** 2 for x in exact) / (len(exact) - 1))
    found = estimators.mean_of_spread(spread.of_units((x, 1.0) for x in values))
    assert isinstance(found, Arm)
    assert found.value == pytest.approx(float(centre), rel=1e-15)
    assert found.variance == pytest.approx(variance, rel=1e-9)
    # Sums of floats have lost it all; they say that they cannot test, and invent no certainty.
    sums = Moments(5_000, sum(values), sum(x * x for x in values), 5_000, 5_000, sum(values))
    lost = estimators.mean(sums)
    assert isinstance(lost, Arm)
    assert lost.variance == 0
