"""Did the arms get the shares of units that they were promised?"""

import math

import pytest
from scipy.special import gammaln
from scipy.stats import binomtest, chisquare, norm

from shared.experiments import srm


def test_the_bayes_factor_is_that_of_its_formula() -> None:
    x, w = [5_300, 4_700, 2_200], [0.4, 0.4, 0.2]
    a = [10_000 * share for share in w]
    terms = [
        gammaln(prior + n) - gammaln(prior) - n * math.log(share)
        for prior, n, share in zip(a, x, w, strict=True)
    ]
    whole = gammaln(10_000) - gammaln(10_000 + sum(x)) + sum(terms)
    assert srm.ln_bayes_factor(x, w) == pytest.approx(whole)


def test_what_was_once_seen_is_not_forgotten() -> None:
    seen = srm.look(srm.START, [6_000, 5_000], [0.5, 0.5])
    later = srm.look(seen, [8_000, 8_000], [0.5, 0.5])
    assert later.p == seen.p < 0.01


def test_phases_multiply() -> None:
    """Each with its own weights; pooled over both the split would look wrong."""
    first, second = ([900, 100], [0.9, 0.1]), ([500, 500], [0.5, 0.5])
    state = srm.look(srm.next_phase(srm.START, *first), *second)
    assert state.p == 1
    drifted = srm.next_phase(srm.START, [5_400, 5_000], [0.5, 0.5])
    both = srm.look(drifted, [5_400, 5_000], [0.5, 0.5])
    alone = srm.look(srm.START, [5_400, 5_000], [0.5, 0.5])
    assert both.p == pytest.approx(alone.p**2)


def test_every_phase_that_is_over_counts() -> None:
    drifted = ([5_300, 5_000], [0.5, 0.5])
    state = srm.next_phase(srm.next_phase(srm.START, *drifted), *drifted)
    alone = srm.look(srm.START, *drifted).peak
    assert srm.look(state, *drifted).peak == pytest.approx(3 * alone)


def test_units_in_an_arm_without_weight_cannot_be() -> None:
    assert srm.look(srm.START, [50, 50, 1], [0.5, 0.5, 0.0]).p == 0
    assert srm.one_look([50, 50, 1], [0.5, 0.5, 0.0]) == 0
    assert srm.one_look([50, 50, 0], [0.5, 0.5, 0.0]) == 1


def test_from_a_thousand_units_on_it_is_pearsons() -> None:
    counts, shares = [5_300, 2_900, 1_950], [0.5, 0.3, 0.2]
    theirs = chisquare(counts, [sum(counts) * share for share in shares]).pvalue
    assert srm.one_look(counts, shares) == pytest.approx(theirs)


def test_below_a_thousand_units_it_is_exact() -> None:
    assert srm.one_look([40, 60], [0.5, 0.5]) == pytest.approx(binomtest(40, 100).pvalue)
    for x, n, share in ((0, 7, 0.3), (3, 7, 0.3), (120, 999, 0.1), (1, 1, 1.0), (500, 999, 0.5)):
        theirs = binomtest(x, n, share).pvalue
        assert srm.exact([x, n - x], [share, 1 - share]) == pytest.approx(theirs, rel=1e-9)
    assert srm.one_look([400, 600], [0.5, 0.5]) == pytest.approx(2 * norm.sf(200 / 1_000**0.5))


@pytest.mark.parametrize("shares", [[0.5, 0.3, 0.2], [0.25] * 4])
def test_of_several_arms_it_keeps_its_level(shares: list[float]) -> None:
    """By all outcomes of twenty units."""
    level, wrong = 0.05, 0.0
    for outcome in _outcomes(20, len(shares)):
        if srm.exact(outcome, shares) <= level:
            ln = gammaln(21) + sum(
                n * math.log(w) - gammaln(n + 1) for n, w in zip(outcome, shares, strict=True)
            )
            wrong += math.exp(ln)
    assert 0.01 < wrong <= level


def test_no_units_and_one_arm_are_as_promised() -> None:
    assert srm.one_look([0, 0], [0.5, 0.5]) == srm.one_look([5_000], [1.0]) == 1
    assert srm.look(srm.START, [0, 0], [0.5, 0.5]).p == 1


@pytest.mark.parametrize("weights", [[0.5, 0.6], [1.5, -0.5]])
def test_weights_are_shares(weights: list[float]) -> None:
    with pytest.raises(ValueError, match="sum to 1"):
        srm.ln_bayes_factor([1, 1], weights)


def test_verdicts() -> None:
    assert srm.verdict(0.009, 1) is srm.Split.BROKEN
    assert srm.verdict(1, 0.0004) is srm.Split.BROKEN
    assert srm.verdict(1, 0.005) is srm.Split.SUSPECT
    assert srm.verdict(0.02, 0.02) is srm.Split.AS_PROMISED


def _outcomes(units: int, arms: int) -> list[list[int]]:
    if arms == 1:
        return [[units]]
    return [[n, *rest] for n in range(units + 1) for rest in _outcomes(units - n, arms - 1)]
