"""V7: the hash splits fairly, whatever the salt, and tests do not know of each other."""

from tests.support.splits import split


def test_the_split_is_fair_and_independent_of_others() -> None:
    """In full, 200 salts and 20,000 units, by benchmarks/validity.py."""
    found = split(salts=50, units=4_000)
    assert found["unfair"] <= 0.02
    assert found["p of adjacent keys"] > 0.001
    assert found["p of enrolment and variant"] > 0.001
    assert found["moved"] == 0
