"""Training data as files: each shape and format, filtered, ordered, and never half a file."""

import csv
import hashlib
import io
import json
import sys
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from services.gateway.domain.problems import Problem
from services.gateway.service.exporting import Exporting
from shared.training.row import COLUMNS
from tests.integration.gateway.callers import Alone
from tests.integration.gateway.trained import (
    HOSTILE,
    NOON,
    forget_training,
    store_dataset,
    store_dataset_row,
    store_training,
)

EXPORT = "/ai/training-data/export"
GONE: dict[str, Any] = {"input": None, "output": None}


@pytest.fixture(autouse=True)
async def clean(alone: Alone) -> None:
    await forget_training(alone.rows)


async def exported(alone: Alone, **asked: Any) -> httpx2.Response:
    answer = await alone.admin.get(EXPORT, params=asked)
    assert answer.status_code == 200, answer.text
    return answer


async def lines(alone: Alone, **asked: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (await exported(alone, **asked)).text.splitlines()]


async def ids(alone: Alone, **asked: Any) -> list[str]:
    return [one["id"] for one in await lines(alone, **asked)]


def texts_of(value: Any) -> list[str]:
    """All texts in a record; a nested cell of a table is JSON."""
    if isinstance(value, str) and value.startswith("[{"):
        return texts_of(json.loads(value))
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return [text for one in inner for text in texts_of(one)]
    return [value] if isinstance(value, str) else []


async def test_rows_are_the_same_as_in_the_list_oldest_first(alone: Alone) -> None:
    for number in range(3):
        await store_training(alone.rows, NOON - timedelta(hours=number), input=f"<b>{number}</b>")
    listed = (await alone.viewer.get("/ai/training-data")).json()["items"]
    found = await lines(alone)
    assert found == listed[::-1]
    assert [tuple(one) for one in found] == [COLUMNS] * 3


async def test_a_file_is_announced_as_one_to_keep(alone: Alone) -> None:
    for name, kind in (
        ("jsonl", "application/x-ndjson"),
        ("json", "application/json"),
        ("csv", "text/csv; charset=utf-8; header=present"),
    ):
        answer = await exported(alone, format=name, split="test")
        assert answer.headers["content-type"] == kind
        said = f'attachment; filename="training-data-rows-test.{name}"'
        assert answer.headers["content-disposition"] == said
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"


async def test_rows_of_one_instant_are_ordered_by_operation_and_id(alone: Alone) -> None:
    for operation in ("b", "B", "a"):
        await store_training(alone.rows, operation_id=operation)
    pair = [await store_training(alone.rows, operation_id="c") for _ in range(2)]
    found = await lines(alone)
    assert [one["operation_id"] for one in found] == ["B", "a", "b", "c", "c"]
    assert [one["id"] for one in found[-2:]] == sorted(map(str, pair))


@pytest.mark.parametrize("kind", ["jsonl", "json", "csv"])
@pytest.mark.parametrize("shape", ["rows", "prompt-completion", "preference", "kto", "openai-chat"])
async def test_each_shape_comes_in_each_format_whole_also_when_hostile(
    alone: Alone, shape: str, kind: str
) -> None:
    texts = {"input": HOSTILE, "output": f"good {HOSTILE}", "input_hash": b"1"}
    tested = texts | {"ab_test_id": "t"}
    await store_training(alone.rows, quality=0.9, variant="a", **tested)
    worse = tested | {"output": f"bad {HOSTILE}"}
    await store_training(alone.rows, quality=0.1, variant="b", **worse)
    text = (await exported(alone, shape=shape, format=kind)).content.decode()
    if kind == "jsonl":
        found = [json.loads(line) for line in text.splitlines()]
    elif kind == "json":
        found = json.loads(text)
    else:
        found = list(csv.DictReader(io.StringIO(text, newline="")))
        cells = [cell for one in found for cell in one.values()]
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)
    assert len(found) == {"prompt-completion": 1, "preference": 1}.get(shape, 2)
    assert all(any(HOSTILE in text for text in texts_of(one)) for one in found)
    if shape == "preference" and kind != "csv":
        (pair,) = found
        assert pair["chosen"][0]["content"] == f"good {HOSTILE}"
        assert pair["rejected"][0]["content"] == f"bad {HOSTILE}"
        assert pair["prompt"] == [{"role": "user", "content": HOSTILE}]


async def test_answers_to_one_input_are_paired_whatever_was_asked_between(alone: Alone) -> None:
    for number in range(3):
        for hash_, variant, quality in ((b"1", "a", 0.9), (b"2", "x", 0.5), (b"1", "b", 0.1)):
            await store_training(
                alone.rows,
                NOON + timedelta(seconds=number),
                input=hash_.decode(),
                output=f"{variant}{number}",
                input_hash=hash_,
                ab_test_id="t",
                variant=variant,
                quality=quality,
            )
    assert len(await lines(alone, shape="preference")) == 9


async def test_personal_data_is_hidden_unless_it_is_asked_for(alone: Alone) -> None:
    await store_training(alone.rows, input="I am ann@example.com", has_pii=True)
    assert (await lines(alone))[0]["input"] == "I am [EMAIL]"
    assert (await lines(alone, redact="false"))[0]["input"] == "I am ann@example.com"


async def test_filters_are_those_of_the_list(alone: Alone) -> None:
    await store_training(alone.rows, quality=0.4, consent=True)
    row_id = str(
        await store_training(alone.rows, NOON + timedelta(hours=1), model_id="m-2", split="test")
    )
    since = (NOON + timedelta(hours=1)).isoformat()
    for asked in ({"model_id": "m-2"}, {"min_quality": 0.5}, {"split": "test"}, {"from": since}):
        assert await ids(alone, **asked) == [row_id]
    assert await ids(alone, consent="unknown") == [row_id]
    operation = (await lines(alone, model_id="m-2"))[0]["operation_id"]
    assert await ids(alone, operation_id=operation) == [row_id]


async def test_nothing_withdrawn_blocked_or_of_others_is_exported(alone: Alone) -> None:
    stays = await store_training(alone.rows)
    gone = await store_training(alone.rows)
    await store_training(alone.rows, state="withdrawn", **GONE)
    await store_training(alone.rows, tenant_id="globex")
    assert (await alone.admin.delete(f"/ai/training-data/{gone}")).status_code == 204
    assert await ids(alone) == [str(stays)]


async def test_nothing_is_a_file_too(alone: Alone) -> None:
    assert (await exported(alone)).content == b""
    assert (await exported(alone, format="json")).json() == []
    header = (await exported(alone, format="csv")).text
    assert header == ",".join(f'"{name}"' for name in COLUMNS) + "\r\n"


async def test_a_frozen_dataset_stays_as_it_was_but_for_what_is_withdrawn(alone: Alone) -> None:
    changed, withdrawn, blocked, erased = [uuid4() for _ in range(4)]
    dataset = await store_dataset(alone.rows, name='Größe "1"; x', version=3)
    for place, row_id in enumerate((changed, withdrawn, blocked, erased)):
        split = "test" if row_id == erased else "train"
        await store_dataset_row(alone.rows, dataset, row_id, place, split=split, output="as it was")
    await store_training(alone.rows, row_id=changed, output="as it is now")
    await store_training(alone.rows, row_id=withdrawn, state="withdrawn", **GONE)
    await store_training(alone.rows, row_id=blocked)
    await alone.admin.delete(f"/ai/training-data/{blocked}")
    answer = await exported(alone, dataset=dataset)
    assert answer.headers["content-disposition"].endswith('"Gr-e-1-x-v3-rows.jsonl"')
    found = [json.loads(line) for line in answer.text.splitlines()]
    assert [one["id"] for one in found] == [str(changed), str(erased)]
    assert {one["output"] for one in found} == {"as it was"}
    assert await ids(alone, dataset=dataset, split="test") == [str(erased)]
    for shape in ("preference", "kto", "openai-chat"):
        await exported(alone, dataset=dataset, shape=shape)


@pytest.mark.parametrize("state", ["freezing", "failed"])
async def test_a_dataset_that_is_not_frozen_is_a_conflict(alone: Alone, state: str) -> None:
    dataset = await store_dataset(alone.rows, state=state)
    answer = await alone.admin.get(EXPORT, params={"dataset": str(dataset)})
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/conflict")


async def test_a_dataset_of_nobody_or_of_others_is_not_there(alone: Alone) -> None:
    theirs = await store_dataset(alone.rows, tenant_id="globex")
    for dataset in (uuid4(), theirs):
        answer = await alone.admin.get(EXPORT, params={"dataset": str(dataset)})
        assert answer.status_code == 404


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"format": "xml"}, "/format"),
        ({"shape": "sharegpt"}, "/shape"),
        ({"dataset": "newest"}, "/dataset"),
        ({"dataset": str(UUID(int=1)), "min_quality": "0.5"}, "/dataset"),
        ({"dataset": str(UUID(int=1)), "consent": "false"}, "/dataset"),
        ({"redact": "perhaps"}, "/redact"),
        ({"limit": "5"}, "/limit"),
    ],
)
async def test_what_cannot_be_meant_is_refused(
    alone: Alone, asked: dict[str, str], pointer: str
) -> None:
    answer = await alone.admin.get(EXPORT, params=asked)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert answer.headers["content-type"] == "application/problem+json"


async def test_without_pyarrow_parquet_is_refused_before_the_first_byte(
    alone: Alone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    answer = await alone.admin.get(EXPORT, params={"format": "parquet"})
    assert answer.status_code == 422
    assert "assay[parquet]" in answer.json()["detail"]


async def test_parquet_is_read_again(alone: Alone) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    await store_training(alone.rows, input=HOSTILE)
    answer = await exported(alone, format="parquet")
    (row,) = parquet.read_table(io.BytesIO(answer.content)).to_pylist()
    assert (row["input"], tuple(row)) == (HOSTILE, COLUMNS)


async def test_who_may_read_may_not_export(alone: Alone) -> None:
    assert (await alone.viewer.get(EXPORT)).status_code == 403
    assert (await alone.agent.get(EXPORT)).status_code == 403


async def test_the_report_counts_what_the_file_holds_and_hides(alone: Alone) -> None:
    for quality in (0.2, 0.5, 0.9):
        text = "Write to max@example.com."
        await store_training(alone.rows, output=text, quality=quality, has_pii=True)
    answer = await alone.admin.get(f"{EXPORT}/report", params={"shape": "kto"})
    report = answer.json()
    assert answer.status_code == 200, answer.text
    content = (await alone.admin.get(EXPORT, params={"shape": "kto"})).content
    assert report["sha256"] == hashlib.sha256(content).hexdigest()
    assert report["rows"] == report["records"] + sum(report["skipped"].values()) == 3
    assert report["redacted"] == {"EMAIL": report["records"]}
    assert (await alone.viewer.get(f"{EXPORT}/report")).status_code == 403


async def untold(*_: Any) -> None:
    """Nobody keeps an audit log here."""


async def test_a_tenant_leaves_places_to_others() -> None:
    exporting = Exporting(_Never(), _Never(), untold, 4, 60)
    with exporting._turn("acme"), exporting._turn("acme"):
        with pytest.raises(Problem) as refused, exporting._turn("acme"):
            pass
        with exporting._turn("globex"), exporting._turn("globex"):
            pass
    assert refused.value.slug == "overloaded"
    assert not exporting._under_way


class _Never:
    """Nobody reads it."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)
