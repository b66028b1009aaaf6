"""The whole way, from portions of rows to chunks."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from hashlib import sha256

import pytest

from shared.training.export import CHUNK_BYTES, Choice, export
from shared.training.report import Report
from shared.training.row import TrainingRow
from tests.unit.training.made import exported, made, portions
from tests.unit.training.peak import peaks

PRIVATE = {"input": "I am a@b.de", "output": "call +49 151 12345678", "has_pii": True}


async def test_chunks_are_of_one_size_and_the_report_counts_them() -> None:
    report = Report()
    rows = [made(n) for n in range(1_000)]
    chunks = [chunk async for chunk in export(portions(rows), Choice(), report)]
    assert {len(chunk) for chunk in chunks[:-1]} == {CHUNK_BYTES}
    assert 0 < len(chunks[-1]) <= CHUNK_BYTES
    written = b"".join(chunks)
    assert (report.rows, report.records, report.size_bytes) == (1_000, 1_000, len(written))
    assert report.sha256 == sha256(written).hexdigest()


async def test_the_report_grows_while_chunks_leave() -> None:
    report = Report()
    async for chunk in export(portions(made(n) for n in range(1_000)), Choice(), report):
        assert (report.size_bytes, report.sha256) == (len(chunk), sha256(chunk).hexdigest())
        break
    assert 0 < report.rows < 1_000


@pytest.mark.parametrize("shape", ["rows", "prompt-completion", "kto", "openai-chat"])
async def test_redaction_is_on_unless_it_is_turned_off(shape: str) -> None:
    rows = [made(1, **PRIVATE)]
    hidden, report = await exported(rows, shape=shape)
    assert b"[EMAIL]" in hidden
    assert b"[PHONE]" in hidden
    assert b"a@b.de" not in hidden
    assert report.redacted == {"EMAIL": 1, "PHONE": 1}
    open_, report = await exported(rows, shape=shape, redactor=None)
    assert b"a@b.de" in open_
    assert not report.redacted


async def test_a_redacted_chat_is_still_a_chat() -> None:
    chat = [{"role": "user", "content": "from:\na@b.de"}]
    written, _ = await exported(
        [made(1, input=json.dumps(chat), has_pii=True)], shape="prompt-completion"
    )
    assert json.loads(written)["prompt"] == [{"role": "user", "content": "from:\n[EMAIL]"}]


async def test_only_what_is_written_counts_as_redacted() -> None:
    _, report = await exported([made(1, quality=0.1, **PRIVATE)], shape="prompt-completion")
    assert not report.redacted


@pytest.mark.parametrize(("rows", "text"), [(2_000, "x"), (20, "x" * 64 * 1024)])
async def test_others_have_their_turn_within_a_portion(rows: int, text: str) -> None:
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    await exported([made(n, output=text) for n in range(rows)], size=rows)
    task.cancel()
    assert turns >= 20


async def test_a_reader_that_leaves_ends_the_reading() -> None:
    is_closed = False

    async def endless() -> AsyncIterator[Sequence[TrainingRow]]:
        nonlocal is_closed
        try:
            while True:
                yield [made(n) for n in range(100)]
        finally:
            is_closed = True

    chunks = export(endless(), Choice(), Report())
    await anext(chunks)
    await chunks.aclose()
    assert is_closed


@pytest.mark.parametrize("name", ["jsonl", "csv", "parquet"])
def test_memory_does_not_grow_with_rows(name: str) -> None:
    if name == "parquet":
        pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    few, many = peaks(name, "rows", 5_000, 50_000)
    assert many < few + 1_000_000


def test_pairs_of_one_question_are_held_in_bounded_memory() -> None:
    few, many = peaks("jsonl", "preference", 2_000, 20_000)
    assert many < few + 2_000_000
