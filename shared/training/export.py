"""From portions of rows to the chunks of one file, with a report that grows with them."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field

from shared.training.formats.choice import FormatName, encoder_of
from shared.training.formats.encoder import Encoder
from shared.training.redaction import PatternRedactor, Redactor, redact_row
from shared.training.report import Report
from shared.training.row import Record, TrainingRow
from shared.training.shapes import Shape, ShapeName, shape_of

CHUNK_BYTES = 64 * 1024
SLICE_ROWS = 100
SLICE_CHARACTERS = 64 * 1024
"""After so many rows, or so much text, others have their turn: 1 ms of usual rows, and some 20 ms
where long texts are full of what is to be hidden."""
WITHDRAWN = "consent_withdrawn"


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody wants. No `redactor` leaves texts as they are."""

    shape: ShapeName = "rows"
    format: FormatName = "jsonl"
    min_quality: float | None = None  # of `prompt-completion`; others are filtered by who reads
    redactor: Redactor | None = field(default_factory=PatternRedactor)


def export(
    portions: AsyncIterator[Sequence[TrainingRow]], choice: Choice, report: Report
) -> AsyncGenerator[bytes, None]:
    """Chunks of `CHUNK_BYTES` and a last, shorter one; `report` says what they hold so far.

    Rows come in the order of the file; for `preference` by (input's hash, occurred_at,
    operation_id, id). The bytes depend on rows and choice only, not on portions. Who leaves early
    calls `aclose()`; that leaves `portions` at once too, where a cursor may be open, if they are a
    generator. Raises `MissingExtraError` at once, so before an answer begins, if the format needs
    a package. (A server calls `formats.parquet.prepare` in a thread first.)
    """
    encoder = encoder_of(choice.format, choice.shape)
    redactor = choice.redactor

    def clean(row: TrainingRow) -> TrainingRow:
        return row if redactor is None else redact_row(row, redactor, report.redacted)

    shape = shape_of(choice.shape, clean, report, choice.min_quality)
    return _chunks(portions, _pieces(portions, shape, encoder, report), report)


async def _pieces(
    portions: AsyncIterator[Sequence[TrainingRow]], shape: Shape, encoder: Encoder, report: Report
) -> AsyncGenerator[bytes, None]:
    yield encoder.head()
    async for portion in portions:
        for rows in _slices(portion):
            report.rows += len(rows)
            willing = [row for row in rows if row.consent is not False]
            if withdrawn := len(rows) - len(willing):
                report.skipped[WITHDRAWN] += withdrawn
            yield _encoded(shape.feed(willing), encoder, report)
            await asyncio.sleep(0)
    yield _encoded(shape.finish(), encoder, report)
    yield encoder.tail()


def _slices(portion: Sequence[TrainingRow]) -> Iterator[list[TrainingRow]]:
    held: list[TrainingRow] = []
    characters = 0
    for row in portion:
        held.append(row)
        characters += len(row.input or "") + len(row.output or "") + len(row.correction or "")
        if len(held) >= SLICE_ROWS or characters >= SLICE_CHARACTERS:
            yield held
            held, characters = [], 0
    if held:
        yield held


def _encoded(records: Sequence[Record], encoder: Encoder, report: Report) -> bytes:
    report.records += len(records)
    return encoder.body(records)


async def _chunks(
    portions: AsyncIterator[Sequence[TrainingRow]],
    pieces: AsyncGenerator[bytes, None],
    report: Report,
) -> AsyncGenerator[bytes, None]:
    held = bytearray()
    try:
        async for piece in pieces:
            held += piece
            while len(held) >= CHUNK_BYTES:
                chunk = bytes(held[:CHUNK_BYTES])
                del held[:CHUNK_BYTES]
                report.add(chunk)
                yield chunk
        if held:
            report.add(bytes(held))
            yield bytes(held)
    finally:
        await pieces.aclose()
        if isinstance(portions, AsyncGenerator):
            await portions.aclose()
