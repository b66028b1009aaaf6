"""Which looks are kept over time: few, the last, and the first that saw a difference."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.abtest.domain.history import (
    MOST_SLOTS,
    SHORTEST,
    Place,
    needless,
    points,
    slot_length,
    thinned_from,
)
from tests.support.abtests import NOON, look, row, successes

YEAR = timedelta(days=365)
ages = st.lists(st.timedeltas(timedelta(0), 2 * YEAR), min_size=1, max_size=80)


def kept_after(looks: Sequence[datetime]) -> set[Place]:
    """One comparison as the store thins it, look by look."""
    kept, before = set[Place](), None
    for at in looks:
        kept.add(Place(at, "success_rate", "b"))
        since = thinned_from(NOON, before, at)
        kept -= set(needless([one for one in kept if one.at >= since], NOON, at))
        before = at
    return kept


def kept_at_once(looks: Sequence[datetime]) -> set[Place]:
    """All looks thinned by what the last one says."""
    places = {Place(at, "success_rate", "b") for at in looks}
    return places - set(needless(places, NOON, max(looks)))


@given(ages)
def test_thinning_again_and_again_leaves_what_thinning_once_leaves(found: list[timedelta]) -> None:
    looks = sorted(NOON + age for age in found)
    kept = kept_after(looks)
    assert kept == kept_at_once(looks)
    assert max(kept).at == looks[-1]


@given(ages, st.randoms(use_true_random=False))
def test_looks_that_are_repeated_change_nothing(
    found: list[timedelta], chance: random.Random
) -> None:
    looks = sorted(NOON + age for age in found)
    again = sorted([*looks, *chance.choices(looks, k=10)])
    assert kept_after(again) == kept_after(looks)


def test_many_looks_of_a_month_leave_few_that_reach_everywhere() -> None:
    looks = [NOON + timedelta(minutes=10 * number) for number in range(30 * 144)]
    kept, before, most = set[Place](), None, 0
    for at in looks:
        kept.add(Place(at, "success_rate", "b"))
        since = thinned_from(NOON, before, at)
        kept -= set(needless([one for one in kept if one.at >= since], NOON, at))
        before, most = at, max(most, len(kept))
    length = slot_length(looks[-1] - NOON)
    assert MOST_SLOTS / 2 < most <= MOST_SLOTS
    ordered = sorted(one.at for one in kept)
    gaps = [after - one for one, after in pairwise(ordered)]
    assert max(gaps) <= 2 * length
    assert ordered[0] < NOON + length


@pytest.mark.parametrize(
    ("age", "length"),
    [
        (timedelta(0), SHORTEST),
        (MOST_SLOTS * SHORTEST - timedelta(microseconds=1), SHORTEST),
        (MOST_SLOTS * SHORTEST, 2 * SHORTEST),
        (timedelta(days=14), timedelta(seconds=2_560)),
    ],
)
def test_slots_grow_with_the_test(age: timedelta, length: timedelta) -> None:
    assert slot_length(age) == length


def test_comparisons_are_thinned_apart_and_keep_what_only_they_have() -> None:
    early, late = NOON + timedelta(seconds=1), NOON + timedelta(seconds=2)
    places = [Place(early, "rating", "b"), Place(early, "rating", "c"), Place(late, "rating", "b")]
    assert needless(places, NOON, late) == [places[0]]


def test_a_look_is_kept_as_its_results_say() -> None:
    answer, _ = look(successes((3_000, 0.9), (3_000, 0.8)))
    one = row(answer)
    (point,) = points(answer)
    assert point == (
        *(answer.as_of, "success_rate", "b", 6_000, one.difference, one.low, one.high),
    )
    assert point.excludes_zero
    even, _ = look(successes((3_000, 0.9), (3_000, 0.9)))
    assert not points(even)[0].excludes_zero


def test_too_little_data_and_broken_data_leave_no_point() -> None:
    few, _ = look(successes((20, 0.9), (20, 0.5)))
    assert row(few).difference is not None
    assert points(few) == []
    broken, _ = look(successes((3_000, 0.9), (1_000, 0.8)))
    assert (broken.verdict, points(broken)) == ("BROKEN", [])


def test_what_holds_for_one_look_only_leaves_no_point() -> None:
    everybody, _ = look(successes((500, 1.0), (500, 1.0)))
    assert row(everybody).method == "newcombe"
    assert points(everybody) == []
