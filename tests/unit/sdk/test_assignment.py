"""The split: the same for ever, and as the weights say."""

import pytest

from assay_sdk import Experiment, Variant, assign
from assay_sdk.assignment import bucket

HALVES = (Variant("a", 0.5, is_control=True), Variant("b", 0.5))


@pytest.mark.parametrize(
    ("salt", "unit", "place"),
    [("s1", "user-1", 4254), ("s1", "user-2", 2134), ("s2", "user-1", 3371)],
)
def test_buckets_are_those_of_the_specification(salt: str, unit: str, place: int) -> None:
    assert bucket("checkout-model", salt, unit) == place


def test_shares_follow_the_weights() -> None:
    experiment = Experiment("e", "s", (Variant("a", 0.7, is_control=True), Variant("b", 0.3)))
    given = [assign(experiment, f"user-{n}")[0].key for n in range(20_000)]
    assert given.count("b") / len(given) == pytest.approx(0.3, abs=0.015)


def test_widening_the_traffic_moves_nobody() -> None:
    narrow, wide = (Experiment("e", "s", HALVES, traffic=share) for share in (0.1, 0.6))
    for number in range(5_000):
        variant, enrolled = assign(narrow, f"user-{number}")
        if enrolled:
            assert assign(wide, f"user-{number}") == (variant, True)


def test_without_a_unit_the_control_answers_and_nobody_is_enrolled() -> None:
    assert assign(Experiment("e", "s", HALVES), "") == (HALVES[0], False)


def test_weights_must_sum_to_one() -> None:
    with pytest.raises(ValueError, match="sum to"):
        Experiment("e", "s", (Variant("a", 0.5), Variant("b", 0.6)))


def test_the_separator_is_refused() -> None:
    with pytest.raises(ValueError, match="U\\+001F"):
        bucket("e", "s", "a\x1fb")
