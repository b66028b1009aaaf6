"""The worked example of docs/feedback.md is what the code says."""

from datetime import timedelta
from pathlib import Path

import pytest

from services.feedback.domain.evidence import Answer, of_original
from services.feedback.domain.formulas import CURRENT, FORMULAS, Formula
from services.feedback.domain.reasons import reasons
from services.feedback.domain.weighting import Weighed, weigh
from tests.unit.feedback.said import ANGRY, NOON, feedback

DOC = Path(__file__).parents[3] / "docs" / "feedback.md"
DAY = 24 * 60
SAID = (
    feedback(1, 4, minute=-180 * DAY, source="reviewer", user="eve"),
    feedback(2, 5, minute=-90 * DAY, user="ben", comment=ANGRY),
    feedback(3, 5, user="ann"),
)
RELIABLE = {"user:ann": 0.8, "user:eve": 0.6}


def example(version: Formula) -> Weighed:
    return weigh(of_original(Answer(success=True), SAID, RELIABLE), NOON, version)


def test_each_vote_is_as_the_table_says() -> None:
    text = DOC.read_text()
    for one in example(CURRENT).votes:
        line = f"| {one.vote.reliability:.2f} | {one.age_days:.0f} d | {one.stance:.2f} "
        assert line + f"| {one.counts:.4f} |" in text


@pytest.mark.parametrize("version", FORMULAS.values())
def test_quality_and_weight_of_each_version(version: Formula) -> None:
    row = example(version)
    line = f"| {version.version} | {row.quality:.4f} | {row.weight:.4f} |"
    assert line in DOC.read_text()


def test_the_reasons_are_those_shown() -> None:
    listed = "\n".join(f"- {one}" for one in reasons(example(CURRENT)))
    assert listed in DOC.read_text()


def test_the_example_by_hand() -> None:
    """Without any code of ours, so that document and code are not wrong together."""
    counts = [1 * 0.6 * 2 ** (-180 / 180), 0.7 * 0.3 * 2 ** (-90 / 180), 0.7 * 0.8]
    said = sum(f * s for f, s in zip(counts, [0.75, 0.75, 1], strict=True))
    quality = (0.5 + said) / (1 + sum(counts))
    weight = 0.5 * quality + 0.25 * 1 + 0.15 * 0.5 + 0.10 * 0.5
    row = example(FORMULAS["2"])
    assert (row.quality, row.weight) == (pytest.approx(quality), pytest.approx(weight))


def test_the_age_is_of_days() -> None:
    assert NOON - SAID[0].occurred_at == timedelta(days=180)
