"""Two versions of the formula are compared on the same rows before history is rebuilt."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.feedback.domain.comparing import LARGEST, compare
from services.feedback.domain.evidence import Answer, of_original
from services.feedback.domain.formulas import CURRENT, FORMULAS, V1, V2
from services.feedback.domain.weighting import Evidence
from tests.unit.feedback.said import ANGRY, EVIDENCE, NOON, feedback

ROWS = st.lists(EVIDENCE, max_size=20).map(
    lambda known: [(f"row-{number}", one) for number, one in enumerate(known)]
)


@given(ROWS)
def test_a_version_does_not_differ_from_itself(rows: list[tuple[str, Evidence]]) -> None:
    found = compare(rows, NOON, V1, replace(V1, version="1b"))
    assert (found.raised, found.lowered, found.rows) == (0, 0, len(rows))
    assert found.mean_size == (0 if rows else None)


@given(ROWS, st.data())
def test_order_of_rows_is_nothing(rows: list[tuple[str, Evidence]], data: st.DataObject) -> None:
    assert compare(data.draw(st.permutations(rows)), NOON, V1, V2) == compare(rows, NOON, V1, V2)


def test_only_rows_with_a_contradiction_change_from_version_1_to_2() -> None:
    said = {"plain": [feedback(1, 5)], "torn": [feedback(1, 5, comment=ANGRY)]}
    rows = [(row, of_original(Answer(), votes, {})) for row, votes in said.items()]
    found = compare(rows, NOON, V1, V2)
    assert (found.old, found.new, found.rows, found.raised, found.lowered) == ("1", "2", 2, 0, 1)
    first = found.largest[0]
    # f = 0.7·0.3: q falls from (0.5+f)/(1+f) to (0.5+0.75f)/(1+f), half of that is the weight's.
    assert (first.row, first.size) == ("torn", pytest.approx(0.5 * 0.25 * 0.21 / 1.21))
    assert found.mean_size == pytest.approx(first.size / 2)


def test_only_the_largest_shifts_are_listed() -> None:
    rows = [(str(n), of_original(Answer(), [feedback(1, 5, comment=ANGRY)], {})) for n in range(30)]
    assert len(compare(rows, NOON, V1, V2).largest) == LARGEST


def test_rows_name_a_version_that_can_be_found_again() -> None:
    assert all(version == one.version for version, one in FORMULAS.items())
    assert FORMULAS[CURRENT.version] is CURRENT
