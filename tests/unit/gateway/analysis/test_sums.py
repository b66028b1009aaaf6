"""Intervals of what people said: bounded, in any order, and as wide as people differ."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.domain.analysis.sums import (
    NOTHING,
    RATING,
    compared,
    effective_size,
    estimate,
    shown,
)
from shared.measures.intervals import share, stars
from tests.unit.gateway.analysis.votes import drawn, judged

THUMBS = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 1)), min_size=1)
RATINGS = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(1, 5)), min_size=1)


@given(THUMBS, st.randoms())
def test_a_share_lies_in_its_interval_in_any_order(votes, random) -> None:
    found = estimate("helpful", judged(votes))
    assert found is not None
    assert 0 <= found.low <= found.value + 1e-12
    assert found.value - 1e-12 <= found.high <= 1
    random.shuffle(votes)
    assert estimate("helpful", judged(votes)) == found


@given(RATINGS, st.randoms())
def test_a_rating_lies_in_its_interval_in_any_order(votes, random) -> None:
    found = estimate(RATING, judged(votes))
    assert found is not None
    assert 1 <= found.low <= found.value + 1e-12
    assert found.value - 1e-12 <= found.high <= 5
    random.shuffle(votes)
    assert estimate(RATING, judged(votes)) == found


@given(THUMBS, THUMBS)
def test_a_comparison_and_its_reverse_say_the_same(one, other) -> None:
    there, back = (compared("helpful", *pair) for pair in _both(judged(one), judged(other)))
    assert (there is None) == (back is None)
    if there is not None and back is not None:
        assert there.p == pytest.approx(back.p)
        assert there.effect == -back.effect
        if there.low is not None:
            assert there.low <= there.effect + 1e-12
            assert there.low == pytest.approx(-back.high, abs=1e-9)


def _both(a, b):
    return (a, b), (b, a)


def test_nobody_says_nothing_and_never_0() -> None:
    assert shown("helpful", NOTHING) == {"value": None, "low": None, "high": None, "count": 0}
    assert compared("helpful", NOTHING, judged([("a", 1), ("b", 0)])) is None


def test_one_vote_each_is_the_interval_of_the_monitoring() -> None:
    votes = [(str(n), int(n % 3 == 0)) for n in range(100)]
    found, plain = estimate("accurate", judged(votes)), share(34, 100)
    assert found == pytest.approx(plain)
    ratings = [(str(n), 1 + n % 5) for n in range(100)]
    squares = sum(value * value for _, value in ratings)
    assert estimate(RATING, judged(ratings)) == pytest.approx(stars(100, 300, squares))


def test_people_who_always_say_the_same_count_once() -> None:
    votes = [(f"p{n % 10}", int(n % 10 < 5)) for n in range(1000)]
    assert effective_size(judged(votes)) <= 10
    assert effective_size(judged([("p", 1)] * 500 + [("p", 0)] * 500)) == 1
    assert effective_size(judged([(f"p{n % 7}", 1) for n in range(70)])) == 7


def test_two_people_who_happen_to_agree_do_not_make_an_interval_of_no_width() -> None:
    votes = [(person, value) for person in "ab" for value in (0, 1)] * 50
    found = estimate("helpful", judged(votes))
    assert found is not None
    assert found.high - found.low > 0.3


@pytest.mark.parametrize(("habit", "people"), [(0.0, 200), (0.2, 40), (0.2, 200)])
def test_intervals_hold_the_truth_though_people_have_habits(habit: float, people: int) -> None:
    chance, runs, held = np.random.default_rng(1), 400, 0
    for _ in range(runs):
        found = estimate("accurate", drawn(chance, 0.7, 400, people, habit))
        assert found is not None
        held += found.low <= 0.7 <= found.high
    print(f"habit {habit}, {people} people: {held / runs:.1%} of intervals hold the truth")
    assert held / runs >= 0.92


@pytest.mark.parametrize("metric", ["accurate", RATING])
def test_a_planted_difference_is_found_and_none_is_not(metric: str) -> None:
    chance, runs = np.random.default_rng(2), 400
    false = planted = 0
    for _ in range(runs):
        if metric == RATING:
            arms = [
                judged((str(n), int(one)) for n, one in enumerate(chance.choice(5, 150, p=p) + 1))
                for p in ((0.1, 0.1, 0.2, 0.3, 0.3),) * 2 + ((0.2, 0.2, 0.2, 0.2, 0.2),)
            ]
        else:
            arms = [drawn(chance, rate, 300, 60, 0.1) for rate in (0.8, 0.8, 0.6)]
        same, differs = (compared(metric, arms[0], other) for other in arms[1:])
        assert same is not None
        assert differs is not None
        false += same.p < 0.05
        planted += differs.excludes_zero
        assert (same.p < 0.05) == same.excludes_zero
    print(f"{metric}: {false / runs:.1%} of A/A differ, {planted / runs:.1%} of planted are found")
    assert false / runs <= 0.075
    assert planted / runs >= 0.8


def test_all_against_none_has_newcombes_interval() -> None:
    found = compared(
        "helpful", judged((str(n), 1) for n in range(40)), judged((f"q{n}", 0) for n in range(40))
    )
    assert found is not None
    assert found.effect == -1
    assert found.low == pytest.approx(-1)
    assert -0.95 < found.high < -0.75
    same = compared("helpful", *(judged((f"{x}{n}", 1) for n in range(40)) for x in "ab"))
    assert same is not None
    assert same.p == pytest.approx(1)
    assert not same.excludes_zero


@pytest.mark.parametrize("people", [5, 40])
def test_one_star_of_all_against_five_of_all_is_a_difference(people: int) -> None:
    arms = [judged((f"p{n % people}", stars) for n in range(40)) for stars in (5, 1)]
    found = compared(RATING, *arms)
    assert found is not None
    assert found.effect == -4
    assert found.low == -4
    assert found.high < 0
    assert found.p < 0.05
    same = compared(RATING, arms[0], arms[0])
    assert same is not None
    assert not same.excludes_zero


def test_ratings_that_are_all_alike_are_not_known_exactly() -> None:
    alike = judged((f"p{n}", 5) for n in range(25))
    others = judged((f"p{n}", 4 if n == 0 else 5) for n in range(25))
    found = compared(RATING, alike, others)
    assert found is not None
    assert not found.excludes_zero
