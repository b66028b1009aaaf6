"""The bytes of each format."""

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.training.errors import MissingExtraError
from shared.training.export import Choice, export
from shared.training.formats.choice import FILE_TYPES, encoder_of
from shared.training.formats.schemas import SHAPE_TYPES
from shared.training.formats.table import cell
from shared.training.report import Report
from shared.training.row import COLUMNS
from tests.unit.training.made import GOOD, HOSTILE, exported, made, portions

SHAPES = [*SHAPE_TYPES]
FORMATS = [*FILE_TYPES]
TEXTS = st.text(st.characters(codec="utf-8"), max_size=40)
DANGEROUS = tuple("=+-@\t\r\n\0\uff1d\uff0b\uff0d\uff20")


def sample() -> list[Any]:
    """Rows that give each shape a record: good, bad, corrected, of two variants, with nulls."""
    test = {"ab_test_id": "t", "input": "z"}
    return [
        made(1, correction="Lyon"),
        made(2, quality=0.2, input='[{"role": "user", "content": "hi"}]'),
        made(3, **test, variant="a", output="x", quality=0.3, agent_id=None, consent=True),
        made(4, **test, variant="b", output="y", quality=0.9, lineage={}, reasons=()),
    ]


def read(name: str, written: bytes) -> list[dict[str, Any]]:
    """Records of any format; cells of CSV stay text."""
    if name == "json":
        return list(json.loads(written))
    if name == "jsonl":
        return [json.loads(line) for line in written.split(b"\n")[:-1]]
    if name == "csv":
        return list(csv.DictReader(io.StringIO(written.decode(), newline="")))
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    return list(parquet.read_table(io.BytesIO(written)).to_pylist())


def uniform(name: str, record: dict[str, Any]) -> dict[str, Any]:
    """A record as JSON lines hold it, from any format."""
    if name == "csv":
        # Of these columns only do texts look like JSON without being it.
        plain = {"id", "operation_id", "input", "output", "formula_version", "model_version"}
        return {k: v if k in plain else _loaded(v) for k, v in record.items()}
    if name == "parquet" and "lineage" in record:
        times = {k: record[k].isoformat()[:-6] + "Z" for k in ("occurred_at", "weighed_at")}
        return {**record, **times, "lineage": json.loads(record["lineage"])}
    if name == "parquet" and "messages" in record:
        turns = [{k: v for k, v in m.items() if v is not None} for m in record["messages"]]
        return {"messages": turns}
    return record


def _loaded(text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("shape", SHAPES)
async def test_each_shape_comes_back_from_each_format(shape: str, name: str) -> None:
    if name == "parquet":
        pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    lines, _ = await exported(sample(), shape=shape)
    written, report = await exported(sample(), shape=shape, format=name)
    records = read(name, written)
    assert [uniform(name, record) for record in records] == read("jsonl", lines)
    assert len(records) == report.records > 0
    assert all(tuple(record) == tuple(SHAPE_TYPES[shape]) for record in records)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("shape", SHAPES)
async def test_an_empty_export_is_a_file(shape: str, name: str) -> None:
    if name == "parquet":
        pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    written, report = await exported([], shape=shape, format=name)
    assert read(name, written) == []
    assert (report.rows, report.records, report.size_bytes) == (0, 0, len(written))
    if name == "csv":
        names = (f'"{name}"' for name in SHAPE_TYPES[shape])
        assert written == (",".join(names) + "\r\n").encode()


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("shape", SHAPES)
async def test_the_same_rows_are_the_same_bytes_however_they_are_cut(shape: str, name: str) -> None:
    if name == "parquet":
        pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    rows = sample() * 60
    first, report = await exported(rows, shape=shape, format=name)
    for size in (1, 7, 1_000):
        again, other = await exported(rows, size=size, shape=shape, format=name)
        assert again == first
        assert other == report or other.sha256 == report.sha256


@pytest.mark.parametrize("name", FORMATS)
async def test_hostile_texts_come_back(name: str) -> None:
    if name == "parquet":
        pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    rows = [made(n, input=text, output=text) for n, text in enumerate(HOSTILE.values())]
    written, _ = await exported(rows, format=name)
    outputs = [record["output"] for record in read(name, written)]
    if name == "csv":
        assert not any(text.startswith(DANGEROUS) for text in outputs)
        outputs = [text[1:] if text.startswith("'") else text for text in outputs]
    assert outputs == [*HOSTILE.values()]


@pytest.mark.parametrize("name", ["json", "jsonl"])
async def test_json_has_no_line_breaks_of_its_own_and_no_escapes_of_letters(name: str) -> None:
    written, _ = await exported([made(1, output="a\r\nж\u2028")], format=name)
    assert b"a\\r\\n\xd0\xb6\xe2\x80\xa8" in written
    assert written.endswith(b"\n")


@pytest.mark.parametrize("text", [t for t in HOSTILE.values() if t.startswith(DANGEROUS)])
@pytest.mark.parametrize("column", ["operation_id", "model_id", "agent_id", "input", "output"])
async def test_no_text_column_begins_a_formula(column: str, text: str) -> None:
    written, _ = await exported([made(1, **{column: text})], format="csv")
    (record,) = read("csv", written)
    assert record[column] == f"'{text}"


@pytest.mark.parametrize("first", DANGEROUS)
async def test_whatever_may_begin_a_formula_is_guarded_and_quoted(first: str) -> None:
    written, _ = await exported([made(1, output=f"{first}1;=2", quality=0.25)], format="csv")
    assert f""","'{first}1;=2",""".encode() in written
    assert b",0.25," in written


def test_numbers_stay_numbers_and_null_is_empty() -> None:
    assert [cell(v) for v in (-1, 0.25, -0.5, True, False, None)] == [
        *(-1, 0.25, -0.5),
        *("true", "false", ""),
    ]
    assert cell([{"role": "user"}]) == '[{"role":"user"}]'
    assert cell(("=1",)) == '["=1"]'


@given(st.lists(TEXTS, min_size=2, max_size=2), st.floats(0, 1))
async def test_any_text_comes_back_from_csv(texts: list[str], quality: float) -> None:
    row = made(1, input=texts[0], output=texts[1], quality=quality)
    (record,) = read("csv", (await exported([row], format="csv"))[0])
    for column, text in zip(("input", "output"), texts, strict=True):
        assert record[column] == (f"'{text}" if text.startswith(DANGEROUS) else text)
    assert float(record["quality"]) == quality


@given(TEXTS, TEXTS, st.dictionaries(TEXTS, st.none() | TEXTS | st.integers(-9, 9) | st.floats()))
async def test_any_text_comes_back_from_json(
    text: str, other: str, lineage: dict[str, object]
) -> None:
    row = made(1, input=text, output=other, lineage=lineage)
    for name in ("json", "jsonl"):
        written, _ = await exported([row], format=name)
        (record,) = json.loads(b"[%s]" % written) if name == "jsonl" else json.loads(written)
        assert (record["input"], record["output"]) == (text, other)
        assert b"NaN" not in written.replace(text.encode(), b"").replace(
            other.encode(), b""
        ) or any("NaN" in str(key) + str(value) for key, value in lineage.items())


async def test_parquet_has_the_same_types_with_and_without_rows() -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    for shape in SHAPES:
        nulls = [made(1, correction="x", agent_id=None, consent=None)]
        schemas = [
            parquet.read_schema(
                io.BytesIO((await exported(rows, shape=shape, format="parquet"))[0])
            )
            for rows in ([], nulls)
        ]
        assert schemas[0] == schemas[1]
        assert schemas[0].names == list(SHAPE_TYPES[shape])
    assert str(schemas[0].field("messages").type).count("string") == 2


async def test_parquet_columns_have_real_types() -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    schema = parquet.read_schema(io.BytesIO((await exported([], format="parquet"))[0]))
    kinds = {name: str(schema.field(name).type) for name in COLUMNS}
    assert kinds["occurred_at"] == kinds["weighed_at"] == "timestamp[us, tz=UTC]"
    assert kinds["quality"] == kinds["weight"] == "double"
    assert (kinds["consent"], kinds["input"]) == ("bool", "string")


async def test_parquet_leaves_in_row_groups_bounded_by_rows_and_bytes() -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    short, _ = await exported((made(n) for n in range(5_000)), format="parquet")
    meta = parquet.ParquetFile(io.BytesIO(short)).metadata
    assert [meta.row_group(n).num_rows for n in range(meta.num_row_groups)] == [4_096, 904]
    long = (made(n, output="x" * 32_768) for n in range(300))
    written, _ = await exported(long, format="parquet")
    assert parquet.ParquetFile(io.BytesIO(written)).metadata.num_row_groups == 2


def test_without_pyarrow_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'assay\[parquet\]'"):
        # Before the first chunk is asked for: a caller can still answer with a problem.
        export(portions([GOOD]), Choice(format="parquet"), Report())


def test_each_format_says_what_it_is() -> None:
    assert {name: kind.suffix for name, kind in FILE_TYPES.items()} == {
        name: f".{name}" for name in FORMATS
    }
    assert FILE_TYPES["parquet"].content_type == "application/vnd.apache.parquet"
    assert encoder_of("json", "rows").tail() == b"]\n"
