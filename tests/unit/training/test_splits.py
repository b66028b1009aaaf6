"""Parts of a dataset: by hash, stable, and as large as asked."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.training.splits import ends, split

SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}


def test_it_is_the_same_in_every_process_and_for_ever() -> None:
    found = [split("set-1", f"op-{number}", ends(SHARES)) for number in range(12)]
    others = {number: name for number, name in enumerate(found) if name != "train"}
    assert others == {1: "validation", 3: "test", 11: "test"}


def test_parts_are_as_large_as_asked() -> None:
    found = Counter(split("set-1", f"op-{number}", ends(SHARES)) for number in range(20_000))
    for name, share in SHARES.items():  # five standard errors
        assert abs(found[name] - 20_000 * share) < 5 * (20_000 * share * (1 - share)) ** 0.5


def test_another_salt_splits_independently() -> None:
    half = ends({"train": 0.5, "test": 0.5})
    pairs = Counter(
        (split("set-1", f"op-{number}", half), split("set-2", f"op-{number}", half))
        for number in range(4_000)
    )
    assert all(abs(pairs[pair] - 1_000) < 150 for pair in pairs)
    assert len(pairs) == 4


@given(st.text(max_size=30), st.permutations(sorted(SHARES)))
def test_order_of_shares_is_nothing_and_any_operation_has_a_part(
    operation: str, names: list[str]
) -> None:
    shuffled = {name: SHARES[name] for name in names}
    assert split("s", operation, ends(shuffled)) == split("s", operation, ends(SHARES))


def test_a_part_that_grows_keeps_what_it_had() -> None:
    small, large = ends({"train": 0.8, "test": 0.2}), ends({"train": 0.9, "test": 0.1})
    for number in range(500):
        before, after = (split("s", f"op-{number}", at) for at in (small, large))
        assert (before, after) != ("train", "test")


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"train": 0.9},
        {"train": 1.1, "test": -0.1},
        {"train": 0.9, "dev": 0.1},
        {"train": float("nan")},
    ],
)
def test_shares_that_are_none_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError):
        ends(wrong)


def test_an_empty_part_gets_nothing() -> None:
    whole = ends({"train": 0.0, "validation": 1.0, "test": 0.0})
    assert {split("s", f"op-{number}", whole) for number in range(300)} == {"validation"}


def test_a_salt_that_could_run_into_the_operation_is_refused() -> None:
    with pytest.raises(ValueError):
        split("a\x1fb", "c", ends(SHARES))
