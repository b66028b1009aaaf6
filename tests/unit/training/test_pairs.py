"""Which answers are compared with which."""

import json
from typing import Any

from shared.training.pairs import MOST_PAIRS, MOST_ROWS
from shared.training.report import Report
from shared.training.row import TrainingRow
from tests.unit.training.made import exported, made


async def pairs(rows: list[TrainingRow], **choice: Any) -> tuple[list[tuple[str, ...]], Report]:
    """Chosen and rejected texts."""
    written, report = await exported(rows, shape="preference", **choice)
    read = [json.loads(line) for line in written.splitlines()]
    assert all(list(one) == ["prompt", "chosen", "rejected"] for one in read)
    texts = [(one["chosen"][0]["content"], one["rejected"][0]["content"]) for one in read]
    return texts, report


def variant(number: int, name: str, quality: float, **changed: Any) -> TrainingRow:
    own = {"output": f"answer {number}", "ab_test_id": "t", "variant": name, "quality": quality}
    return made(number, **{**own, **changed})


async def test_a_correction_is_chosen_over_the_answer() -> None:
    found, report = await pairs([made(1, correction="Lyon")])
    assert found == [("Lyon", "Paris.")]
    assert (report.rows, report.records, dict(report.skipped)) == (1, 1, {})


async def test_a_corrections_own_row_makes_no_pair() -> None:
    found, report = await pairs([made(1, kind="correction", correction="Lyon")])
    assert found == []
    assert report.skipped == {"no_pair": 1}


async def test_a_correction_equal_to_the_answer_or_blank_makes_no_pair() -> None:
    assert (await pairs([made(1, correction="Paris."), made(2, correction=" ")]))[0] == []


async def test_texts_that_are_equal_once_redacted_make_no_pair() -> None:
    row = made(1, output="ask a@b.de", correction="ask c@d.de", has_pii=True)
    assert (await pairs([row]))[0] == []
    assert (await pairs([row], redactor=None))[0] == [("ask c@d.de", "ask a@b.de")]


async def test_variants_of_a_test_are_compared() -> None:
    found, _ = await pairs([variant(1, "a", 0.3), variant(2, "b", 0.7)])
    assert found == [("answer 2", "answer 1")]


async def test_a_distance_of_exactly_a_fifth_is_enough() -> None:
    found, _ = await pairs([variant(1, "a", 0.4), variant(2, "b", 0.6)])
    assert found == [("answer 2", "answer 1")]


async def test_what_is_no_contest_makes_no_pair() -> None:
    good = variant(1, "a", 0.7)
    for other in (
        variant(2, "a", 0.3),
        variant(2, "b", 0.5),
        variant(2, "b", 0.3, ab_test_id="u"),
        variant(2, "b", 0.3, ab_test_id=None),
        variant(2, None, 0.3),  # type: ignore[arg-type]
        variant(2, "b", 0.3, kind="correction"),
        variant(2, "b", 0.3, output="answer 1"),
        variant(2, "b", 0.3, input="another question"),
        variant(2, "b", 0.55),
    ):
        found, report = await pairs([good, other])
        assert found == []
        assert report.skipped == {"no_pair": 2}
    assert (await pairs([variant(1, "a", 0.51), variant(2, "b", 0.45)]))[0] == []


async def test_inputs_that_only_redaction_makes_equal_stay_apart() -> None:
    one = variant(1, "a", 0.3, input="I am a@b.de", has_pii=True)
    other = variant(2, "b", 0.7, input="I am c@d.de", has_pii=True)
    assert (await pairs([one, other]))[0] == []


async def test_no_pair_says_the_opposite_of_a_correction() -> None:
    wrong = variant(1, "a", 0.7, output="X", correction="Y")
    right = variant(2, "b", 0.3, output="Y")
    assert (await pairs([wrong, right]))[0] == [("Y", "X")]


async def test_a_group_is_found_across_portions() -> None:
    rows = [variant(1, "a", 0.3), variant(2, "b", 0.7), made(3, input="z", correction="q")]
    for size in (1, 2, 3):
        assert len((await pairs(rows, size=size))[0]) == 2


async def test_a_question_that_is_asked_all_day_is_bounded() -> None:
    good = [variant(n, "a", 0.7) for n in range(200)]
    bad = [variant(n, "b", 0.3) for n in range(200, 205)]
    found, report = await pairs([*bad, *good, made(999, input="z", correction="q")])
    compared = 5 * (MOST_ROWS - 5)
    assert len(found) == MOST_PAIRS + 1
    assert report.skipped["group_full"] == 205 - MOST_ROWS
    assert report.skipped["pairs_full"] == compared - MOST_PAIRS
    assert report.records == len(found)
