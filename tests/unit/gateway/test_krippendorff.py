"""Krippendorff's alpha: his own example, gaps, and an interval that no order moves."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.reckoning.krippendorff import Level, alpha

# Krippendorff 2011, section C: four observers, twelve units, gaps.
OBSERVERS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]
UNITS = [list(unit) for unit in zip(*OBSERVERS, strict=True)]
RATINGS = st.lists(
    st.lists(st.one_of(st.none(), st.integers(1, 5)), min_size=1, max_size=5),
    min_size=1,
    max_size=12,
)


@pytest.mark.parametrize(
    ("level", "expected"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)]
)
def test_his_example_is_his_number(level: Level, expected: float) -> None:
    found = alpha(UNITS, level)
    assert found is not None
    assert found.value == pytest.approx(expected, abs=0.0005)
    assert (found.units, found.values) == (11, 40)  # what one observer alone said is left out
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.value < found.high <= 1


@given(RATINGS, st.randoms(), st.sampled_from(["nominal", "ordinal", "interval"]))
def test_order_of_raters_and_units_changes_nothing(units, random_, level: Level) -> None:
    found = alpha(units, level, draws=20)
    shuffled = [random_.sample(unit, len(unit)) for unit in random_.sample(units, len(units))]
    again = alpha(shuffled, level, draws=20)
    assert (found is None) == (again is None)
    if found is not None and again is not None:
        assert again == pytest.approx(found)
        assert found.value <= 1


def test_agreement_is_1_and_chance_is_0() -> None:
    agreed = alpha([[n % 3] * 4 for n in range(30)], "nominal")
    assert agreed is not None
    assert agreed[:3] == (1, 1, 1)
    chance = random.Random(1)
    held, runs = 0, 100
    for _ in range(runs):
        found = alpha(
            [[chance.randint(1, 5) for _ in range(3)] for _ in range(40)], "ordinal", draws=200
        )
        assert found is not None
        assert abs(found.value) < 0.35
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 0 <= found.high
    print(f"{held} of {runs} intervals of raters who guess hold 0")
    assert held >= 88
    opposed = alpha([["yes", "no"]] * 20, "nominal")
    assert opposed is not None
    assert opposed.value < 0


def test_what_cannot_be_compared_has_no_number() -> None:
    assert alpha([], "nominal") is None
    assert alpha([[1, None], [None, 2]], "interval") is None  # nobody shares a unit
    assert alpha([[3, 3], [3, 3]], "interval") is None  # nothing to disagree on
    assert alpha([[0.0, 1e-200], [0.0, 0.0]], "interval") is None
    one = alpha([[1, 2]], "interval")
    assert one is not None
    assert (one.low, one.high) == (None, None)
