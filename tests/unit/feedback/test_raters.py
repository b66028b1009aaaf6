"""Who agrees with reliable others is reliable; who says the opposite, or anything, is not."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.feedback.domain.agreement import MOST_PARTNERS, Stand, Sums, of_item
from services.feedback.domain.formulas import CURRENT, Kind
from services.feedback.domain.quality import Vote, count
from services.feedback.domain.raters import START, moved, reliabilities, spread
from tests.unit.feedback.said import NOON

NAMES = st.none() | st.sampled_from("abcdef")
ITEM = st.lists(
    st.builds(Stand, NAMES, st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])),
    max_size=8,
    unique_by=lambda one: one.rater or object(),
)
ITEMS = st.dictionaries(st.sampled_from(["i1", "i2", "i3", "i4"]), ITEM)
RATERS = 20


def summed(items: dict[str, list[Stand]]) -> Sums:
    sums = Sums()
    for name, stands in items.items():
        sums.add(of_item(name, stands))
    return sums


@given(ITEMS, ITEMS, st.data())
def test_sums_that_grow_night_by_night_are_those_of_all_at_once(
    before: dict[str, list[Stand]], after: dict[str, list[Stand]], data: st.DataObject
) -> None:
    sums = summed(before)
    for name in data.draw(st.permutations(sorted(before.keys() | after.keys()))):
        sums.add(of_item(name, before.get(name, [])), times=-1)
        sums.add(of_item(name, data.draw(st.permutations(after.get(name, [])))))
    assert sums == summed(after)
    assert reliabilities(sums) == reliabilities(summed(after))


@given(ITEMS)
def test_reliability_is_bounded_and_told_of_all_who_shared_an_item(
    items: dict[str, list[Stand]],
) -> None:
    sums = summed(items)
    found = reliabilities(sums)
    assert all(0 <= value <= 1 for value in found.values())
    assert found.keys() == {rater for pair in sums.shared for rater in pair}


@given(ITEMS)
def test_the_spread_is_the_mean_distance_of_two_votes(items: dict[str, list[Stand]]) -> None:
    told = [one.value for stands in items.values() for one in stands]
    apart = [abs(one - other) for one in told for other in told]
    assert spread(summed(items)) == pytest.approx(sum(apart) / len(apart) if apart else 0)


def test_reliability_by_hand() -> None:
    # Of 4 votes half are 0, half 1: c = 0.5. a and b share two items and agree on both, n = 2·0.3.
    items = {"i1": [Stand("a", 1), Stand("b", 1)], "i2": [Stand("a", 0), Stand("b", 0)]}
    reliable, chance = START, 0.5
    for _ in range(3):
        prior = 5 * (chance + START * (1 - chance))
        agreement = (2 * reliable + prior) / (2 * reliable + 5)
        reliable = (agreement - chance) / (1 - chance)
    assert reliabilities(summed(items)) == {
        "a": pytest.approx(reliable),
        "b": pytest.approx(reliable),
    }


def test_where_all_say_the_same_nobody_is_more_reliable() -> None:
    assert reliabilities(summed({"i1": [Stand("a", 1), Stand("b", 1)]})) == {"a": START, "b": START}
    assert reliabilities(Sums()) == {}


def test_an_item_of_thousands_compares_only_some() -> None:
    stands = [Stand(f"r{number}", number % 2) for number in range(2_000)]
    sums = of_item("i1", stands)
    assert len(sums.shared) == MOST_PARTNERS * (MOST_PARTNERS - 1) // 2
    assert sums.said == Counter({0: 1_000, 100: 1_000})
    assert sums == of_item("i1", stands[::-1])


def test_who_moved() -> None:
    before, after = {"a": 0.5, "b": 0.5, "c": 0.9}, {"a": 0.52, "b": 0.6, "d": 0.31, "e": 0.5}
    assert moved(before, after) == {"b", "c", "e"}


def _honest(random: Random, is_good: bool) -> float:
    """Stars of a careful rater: one off every other time, one in five at random."""
    if random.random() < 0.2:
        return random.randint(0, 4) / 4
    stars = (4 if is_good else 0) + (-1 if is_good else 1) * (random.random() < 0.5)
    return stars / 4


def _played(seed: int, items: int, each: int, planted: dict[str, str]) -> dict[str, float]:
    """`items` that `each` raters judge; 70 % of the answers are good."""
    random, sums = Random(seed), Sums()
    for item in range(items):
        is_good = random.random() < 0.7
        stands = []
        for number in random.sample(range(RATERS), each):
            rater, value = f"r{number}", _honest(random, is_good)
            if planted.get(rater) == "inverted":
                value = 1 - value
            elif planted.get(rater) == "random":
                value = random.randint(0, 4) / 4
            stands.append(Stand(rater, value))
        sums.add(of_item(f"i{item}", stands))
    return reliabilities(sums)


@pytest.mark.parametrize("each", [2, 4])
@pytest.mark.parametrize("seed", range(10))
def test_inverted_raters_fall_below_a_tenth_within_45_shared_items(seed: int, each: int) -> None:
    planted = dict.fromkeys(("r0", "r1", "r2"), "inverted")  # 15 % of 20
    reliable = _played(seed, 45 * RATERS // each, each, planted)
    assert max(reliable[rater] for rater in planted) < 0.1
    honest = sorted(reliable[rater] for rater in reliable.keys() - planted.keys())
    assert honest[len(honest) // 2] > START


@pytest.mark.parametrize("seed", range(10))
def test_a_planted_random_rater_ends_with_less_than_half_the_weight_of_each_other(
    seed: int,
) -> None:
    reliable = _played(seed, 200 * RATERS // 3, 3, {"r0": "random"})
    counts = {
        rater: count(Vote(Kind.USER, 1.0, value, NOON, "rating"), NOON, CURRENT).counts
        for rater, value in reliable.items()
    }
    others = [value for rater, value in counts.items() if rater != "r0"]
    assert len(others) == RATERS - 1
    assert counts["r0"] < min(others) / 2
