"""The hash splits fairly, whatever the salt, and tests do not know of each other."""

from collections import Counter

from scipy.stats import chi2_contingency, chisquare

from shared.experiments.assignment import BUCKETS, bucket, edges

WEIGHTS = (0.5, 0.3, 0.2)
UNITS = [f"user-{number}" for number in range(4_000)]


def arm(key: str, salt: str, unit: str) -> int:
    at = bucket(key, salt, unit)
    return next(place for place, end in enumerate(edges(WEIGHTS)) if at < end)


def test_shares_follow_the_weights_under_any_salt() -> None:
    unfair = 0
    for salt in range(50):
        found = Counter(arm("e", f"{salt}", unit) for unit in UNITS)
        seen = [found[place] for place in range(len(WEIGHTS))]
        unfair += chisquare(seen, [len(UNITS) * weight for weight in WEIGHTS]).pvalue < 0.001
    assert unfair <= 1


def test_tests_with_adjacent_keys_are_independent() -> None:
    both = Counter((arm("exp-1", "s", unit), arm("exp-2", "s", unit)) for unit in UNITS)
    table = [[both[one, two] for two in range(3)] for one in range(3)]
    assert chi2_contingency(table).pvalue > 0.001


def test_enrolment_and_variant_are_independent() -> None:
    both = Counter(
        (bucket("e", "enrolment", unit) < BUCKETS // 2, arm("e", "s", unit)) for unit in UNITS
    )
    table = [[both[enrolled, place] for place in range(3)] for enrolled in (False, True)]
    assert chi2_contingency(table).pvalue > 0.001
