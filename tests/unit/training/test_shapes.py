"""Columns of each shape, and the rows that are in none."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from shared.training.row import COLUMNS, TrainingRow, public
from tests.unit.training.made import GOOD, exported, made

ASKED = [{"role": "user", "content": "What is the capital of France?"}]
SAID = [{"role": "assistant", "content": "Paris."}]
CHAT = json.dumps(
    [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "hello"},
        {"role": "user", "content": "capital?"},
    ]
)


async def lines(rows: list[TrainingRow], **choice: Any) -> list[dict[str, Any]]:
    written, _ = await exported(rows, **choice)
    return [json.loads(line) for line in written.splitlines()]


async def skipped(rows: list[TrainingRow], **choice: Any) -> dict[str, int]:
    _, report = await exported(rows, **choice)
    assert report.rows == len(rows)
    return dict(report.skipped)


async def test_rows_have_all_columns_in_their_order() -> None:
    (line,) = await lines([GOOD])
    assert list(line) == [*COLUMNS] == [*public(GOOD)]
    assert COLUMNS[:5] == ("id", "operation_id", "kind", "occurred_at", "model_id")
    assert COLUMNS[-1] == "lineage"
    assert "has_pii" not in line
    assert line["occurred_at"] == "2026-01-01T12:00:00Z"
    assert line["reasons"] == list(GOOD.reasons)


def test_times_are_utc_with_microseconds_only_where_there_are_some() -> None:
    berlin = timezone(timedelta(hours=1))
    at = datetime(2026, 1, 1, 1, 2, 3, 40, tzinfo=berlin)
    row = made(1, occurred_at=at, weighed_at=at.astimezone(UTC))
    assert public(row)["occurred_at"] == "2026-01-01T00:02:03.000040Z"
    assert public(row)["weighed_at"] == public(row)["occurred_at"]


def test_a_lineage_is_the_same_bytes_in_whatever_order_it_was_made() -> None:
    one = made(1, lineage={"a": 1, "b": [{"c": 1, "d": 2}]})
    other = made(1, lineage={"b": ({"d": 2, "c": 1},), "a": 1})
    assert json.dumps(public(one)) == json.dumps(public(other))


@pytest.mark.parametrize("wrong", [-0.1, 1.1, float("nan"), float("inf")])
def test_quality_and_weight_are_numbers_from_0_to_1(wrong: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        made(1, quality=wrong)
    with pytest.raises(ValueError, match="between 0 and 1"):
        made(1, weight=wrong)


async def test_prompt_completion() -> None:
    assert await lines([GOOD], shape="prompt-completion") == [{"prompt": ASKED, "completion": SAID}]


async def test_prompt_completion_takes_what_is_better_than_nothing_known() -> None:
    rows = [made(1, quality=0.5), made(2, quality=0.51), made(3, kind="correction", quality=0.8)]
    assert len(await lines(rows, shape="prompt-completion")) == 2
    assert await skipped(rows, shape="prompt-completion") == {"low_quality": 1}
    assert await skipped(rows, shape="prompt-completion", min_quality=0.8) == {"low_quality": 2}
    assert await skipped(rows, shape="prompt-completion", min_quality=0.5) == {}


async def test_kto_labels_by_quality_and_skips_what_nobody_knows() -> None:
    rows = [made(1), made(2, quality=0.2), made(3, quality=0.5)]
    assert await lines(rows, shape="kto") == [
        {"prompt": ASKED, "completion": SAID, "label": True},
        {"prompt": ASKED, "completion": SAID, "label": False},
    ]
    assert await skipped(rows, shape="kto") == {"nothing_known": 1}


async def test_openai_chat_weighs_the_answer_only() -> None:
    good, bad = await lines([made(1, input=CHAT), made(2, quality=0.5)], shape="openai-chat")
    assert [turn.get("weight") for turn in good["messages"]] == [None, None, 0, None, 1]
    assert list(good["messages"][0]) == ["role", "content"]
    assert bad == {"messages": [*ASKED, {**SAID[0], "weight": 0}]}


@pytest.mark.parametrize("shape", ["prompt-completion", "preference", "kto", "openai-chat"])
@pytest.mark.parametrize("gone", [None, "", " \n"])
async def test_rows_without_texts_are_in_no_shape_but_rows(shape: str, gone: str | None) -> None:
    rows = [made(1, input=gone), made(2, output=gone)]
    assert await skipped(rows, shape=shape) == {"no_text": 2}
    assert await lines(rows, shape=shape) == []
    assert len(await lines(rows)) == 2


@pytest.mark.parametrize("shape", ["rows", "prompt-completion", "preference", "kto", "openai-chat"])
async def test_withdrawn_consent_is_in_no_shape(shape: str) -> None:
    rows = [made(1, consent=False, weight=0.0, correction="Lyon?")]
    assert await skipped(rows, shape=shape) == {"consent_withdrawn": 1}
    assert await lines(rows, shape=shape) == []
