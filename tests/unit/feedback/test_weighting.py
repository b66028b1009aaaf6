"""The weight is bounded, monotone, neutral where nothing is known, and blind to order."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.feedback.domain.formulas import CURRENT, FORMULAS, V1, V2, Formula, Kind, formula
from services.feedback.domain.quality import Vote
from services.feedback.domain.raters import MOVED
from services.feedback.domain.weighting import Evidence, instant, is_due, weigh
from tests.unit.feedback.said import EVIDENCE, JUDGING, MAYBE, NOON, SHARES, VOTES

FORMULA = st.sampled_from([*FORMULAS.values()])
TERMS = st.sampled_from(["outcome", "checks", "confidence"])
ROUNDING = 1e-12


@given(EVIDENCE, FORMULA)
def test_quality_and_weight_are_bounded(known: Evidence, version: Formula) -> None:
    row = weigh(known, NOON, version)
    assert 0 <= row.quality <= 1
    assert 0 <= row.weight <= 1


@given(EVIDENCE, FORMULA, TERMS, SHARES, SHARES)
def test_weight_is_monotone_in_each_term(
    known: Evidence, version: Formula, term: str, one: float, other: float
) -> None:
    low, high = sorted((one, other))
    lower = weigh(replace(known, **{term: low}), NOON, version).weight
    assert lower <= weigh(replace(known, **{term: high}), NOON, version).weight


@given(EVIDENCE, VOTES, FORMULA, SHARES, SHARES)
def test_weight_is_monotone_in_each_stance(
    known: Evidence, vote: Vote, version: Formula, one: float, other: float
) -> None:
    low, high = (
        weigh(replace(known, votes=(*known.votes, replace(vote, stance=said))), NOON, version)
        for said in sorted((one, other))
    )
    assert low.quality <= high.quality
    assert low.weight <= high.weight


@given(EVIDENCE, VOTES, FORMULA)
def test_a_further_vote_moves_quality_towards_what_it_says(
    known: Evidence, vote: Vote, version: Formula
) -> None:
    before = weigh(known, NOON, version)
    after = weigh(replace(known, votes=(*known.votes, vote)), NOON, version)
    said = after.votes[-1].stance
    low, high = sorted((before.quality, said))
    assert low - ROUNDING <= after.quality <= high + ROUNDING


@given(EVIDENCE, VOTES, FORMULA, SHARES, SHARES)
def test_the_more_reliable_a_voter_the_nearer_is_quality_to_what_it_says(
    known: Evidence, vote: Vote, version: Formula, one: float, other: float
) -> None:
    less, more = (
        weigh(replace(known, votes=(*known.votes, replace(vote, reliability=rel))), NOON, version)
        for rel in sorted((one, other))
    )
    said = less.votes[-1].stance
    assert abs(more.quality - said) <= abs(less.quality - said) + ROUNDING


@given(st.integers(1, 4), st.integers(1, 4), SHARES, st.booleans(), FORMULA, EVIDENCE)
def test_more_stars_never_weigh_less_whatever_the_comment_says(
    stars: int, more: int, rel: float, is_glad: bool, version: Formula, known: Evidence
) -> None:
    def of(rating: int) -> float:
        against = rating < 3 if is_glad else rating > 3
        vote = Vote(Kind.USER, (rating - 1) / 4, rel, NOON, "rating", against)
        return weigh(replace(known, votes=(*known.votes, vote)), NOON, version).weight

    assert of(stars) <= of(min(5, stars + more))


@given(EVIDENCE, FORMULA, TERMS)
def test_a_missing_term_is_neutral(known: Evidence, version: Formula, term: str) -> None:
    missing, neutral = replace(known, **{term: None}), replace(known, **{term: 0.5})
    assert weigh(missing, NOON, version).weight == weigh(neutral, NOON, version).weight


@given(JUDGING, SHARES, MAYBE, FORMULA)
def test_a_vote_of_nobody_or_in_the_middle_leaves_what_is_not_known(
    kind: Kind, stance: float, rel: float | None, version: Formula
) -> None:
    unreliable = Vote(kind, stance, 0.0, NOON, "rating")
    middling = Vote(kind, 0.5, rel or 0.0, NOON, "rating")
    for vote in (unreliable, middling):
        row = weigh(Evidence((vote,)), NOON, version)
        assert (row.quality, row.weight) == (pytest.approx(0.5), pytest.approx(0.5))


@pytest.mark.parametrize("version", FORMULAS.values())
def test_nothing_known_is_exactly_a_half(version: Formula) -> None:
    assert (weigh(Evidence(), NOON, version).quality, weigh(Evidence(), NOON, version).weight) == (
        0.5,
        0.5,
    )


@given(EVIDENCE, FORMULA, st.data())
def test_order_of_votes_is_nothing_to_the_bit(
    known: Evidence, version: Formula, data: st.DataObject
) -> None:
    shuffled = replace(known, votes=tuple(data.draw(st.permutations(known.votes))))
    row, same = weigh(known, NOON, version), weigh(shuffled, NOON, version)
    assert (row.quality, row.weight) == (same.quality, same.weight)


@given(EVIDENCE, FORMULA)
def test_the_same_instant_gives_the_same_bits(known: Evidence, version: Formula) -> None:
    row = weigh(known, NOON, version)
    assert weigh(row.evidence, row.at, formula(row.version)) == row


@given(EVIDENCE, FORMULA, st.booleans())
def test_withdrawn_and_blocked_rows_weigh_nothing_and_keep_their_quality(
    known: Evidence, version: Formula, is_blocked: bool
) -> None:
    gone = replace(known, consent=None if is_blocked else False, is_blocked=is_blocked)
    row = weigh(gone, NOON, version)
    assert (row.weight, row.quality) == (0, weigh(known, NOON, version).quality)


@given(EVIDENCE, FORMULA)
def test_a_week_moves_a_weight_by_less_than_two_thousandths(
    known: Evidence, version: Formula
) -> None:
    # What was said in the day after its instant ages from then on only.
    end = NOON + timedelta(days=1)
    aged = replace(known, votes=tuple(vote for vote in known.votes if vote.occurred_at <= end))
    later = weigh(aged, NOON + timedelta(days=7), version).weight
    assert abs(later - weigh(aged, NOON, version).weight) < 0.002


@given(EVIDENCE, VOTES, FORMULA, st.floats(0, 1 - MOVED))
def test_a_rater_who_did_not_move_enough_changes_a_weight_by_little(
    known: Evidence, vote: Vote, version: Formula, rel: float
) -> None:
    before, after = (
        weigh(replace(known, votes=(*known.votes, replace(vote, reliability=held))), NOON, version)
        for held in (rel, rel + MOVED)
    )
    assert abs(after.weight - before.weight) <= 0.0125 + ROUNDING


def test_a_vote_counts_half_after_180_days_and_whole_before_its_time() -> None:
    vote = Vote(Kind.EXPERT, 1.0, 1.0, NOON, "rating")
    days = (-1, 0, 180, 360)
    rows = [weigh(Evidence((vote,)), NOON + timedelta(days=day), V1) for day in days]
    assert [row.votes[0].counts for row in rows] == [1.0, 1.0, 0.5, 0.25]


@pytest.mark.parametrize("version", FORMULAS.values())
@pytest.mark.parametrize(
    ("kind", "counts"),
    [(Kind.EXPERT, 1.0), (Kind.USER, 0.7), (Kind.MODEL, 0.4), (Kind.IMPLICIT, 0.2)],
)
def test_what_a_fresh_vote_of_a_reliable_voter_counts(
    version: Formula, kind: Kind, counts: float
) -> None:
    row = weigh(Evidence((Vote(kind, 1.0, 1.0, NOON, "rating"),)), NOON, version)
    assert (row.votes[0].counts, row.quality) == (counts, (0.5 + counts) / (1 + counts))


@pytest.mark.parametrize("version", FORMULAS.values())
@pytest.mark.parametrize(
    ("known", "weight"),
    [
        (Evidence(outcome=1.0), 0.625),
        (Evidence(checks=1.0), 0.575),
        (Evidence(confidence=1.0), 0.55),
        (Evidence(outcome=0.0, checks=0.0, confidence=0.0), 0.25),
    ],
)
def test_the_share_of_each_term(version: Formula, known: Evidence, weight: float) -> None:
    assert weigh(known, NOON, version).weight == pytest.approx(weight)


def test_a_contradiction_halves_the_distance_from_neutral_from_version_2_on() -> None:
    vote = Vote(Kind.EXPERT, 1.0, 1.0, NOON, "rating", is_contradicted=True)
    first, second = (weigh(Evidence((vote,)), NOON, version) for version in (V1, V2))
    assert (first.votes[0].stance, second.votes[0].stance) == (1.0, 0.75)
    assert (first.quality, second.quality) == (0.75, 0.625)


@pytest.mark.parametrize("wrong", [-0.1, 1.1, float("nan"), float("inf")])
def test_what_is_no_share_is_refused(wrong: float) -> None:
    for known in (
        Evidence(outcome=wrong),
        Evidence((Vote(Kind.USER, wrong, 0.3, NOON, "rating"),)),
        Evidence((Vote(Kind.USER, 1.0, wrong, NOON, "rating"),)),
    ):
        with pytest.raises(ValueError):
            weigh(known, NOON, CURRENT)


def test_shares_of_each_version_add_up_to_one() -> None:
    for one in FORMULAS.values():
        assert one.quality + one.outcome + one.checks + one.confidence == pytest.approx(1)
    with pytest.raises(ValueError, match="no formula '0': there are 1, 2"):
        formula("0")


def test_rows_are_weighed_at_the_start_of_the_day_and_again_after_a_week() -> None:
    midnight = instant(NOON)
    assert midnight == NOON - timedelta(hours=12)
    assert instant(midnight) == instant(NOON + timedelta(hours=11)) == midnight
    assert not is_due(midnight, NOON + timedelta(days=6))
    assert is_due(midnight, NOON + timedelta(days=7))
