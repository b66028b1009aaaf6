"""Rows for tests, and what an export makes of them."""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from shared.training.export import Choice, export
from shared.training.report import Report
from shared.training.row import TrainingRow

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
GOOD = TrainingRow(
    id=UUID(int=1),
    operation_id="op-1",
    kind="answer",
    occurred_at=NOON,
    model_id="model-a",
    model_version="3",
    agent_id="agent-1",
    environment="production",
    operation_type="chat",
    prompt_version=None,
    ab_test_id=None,
    variant=None,
    input="What is the capital of France?",
    output="Paris.",
    correction=None,
    quality=0.75,
    weight=0.7226,
    reasons=("rated 5 of 5 by 2 users (reliability 0.30 and 0.80)", "the operation succeeded"),
    consent=None,
    split="train",
    formula_version="2",
    weighed_at=datetime(2026, 1, 1, tzinfo=UTC),
    lineage={"votes": [{"s": 1.0}], "operation": "op-1"},
    has_pii=False,
)

HOSTILE = {
    "formula": '=HYPERLINK("http://x.example","y")',
    "plus": "+1",
    "minus": "-1+2",
    "at": "@SUM(A1)",
    "tab": "\t=1",
    "return": "\r=1",
    "nul": "\x00=1",
    "right to left": "\u202eevil\u202c שלום",
    "zero width": "a\u200bb\u2060c\ufeff",
    "html": "<script>alert(1)</script> &amp; </td>",
    "emoji": "👩🏽‍🚀🇩🇪",
    "quotes": 'a "quoted", text\r\nof two lines; \\n',
    "separators": "a\u2028b\u2029c\x85d\x0be",
    "long": "ж" * (16 * 1024),
    "json": '{"a": [1, "b"]}',
    "a chat": '[{"role": "user", "content": "=1"}]',
}


def made(number: int, **changed: Any) -> TrainingRow:
    """The good row, with an id of its own and what a test says of it."""
    at = NOON + timedelta(seconds=number)
    mine = {"id": UUID(int=number), "operation_id": f"op-{number}", "occurred_at": at}
    return TrainingRow(**{**GOOD._asdict(), **mine, **changed})


async def portions(
    rows: Iterable[TrainingRow], size: int = 500
) -> AsyncIterator[Sequence[TrainingRow]]:
    held: list[TrainingRow] = []
    for row in rows:
        held.append(row)
        if len(held) == size:
            yield held
            held = []
    yield held


async def exported(
    rows: Iterable[TrainingRow], *, size: int = 500, **choice: Any
) -> tuple[bytes, Report]:
    report = Report()
    chunks = [chunk async for chunk in export(portions(rows, size), Choice(**choice), report)]
    return b"".join(chunks), report
