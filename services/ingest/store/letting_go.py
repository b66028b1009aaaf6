"""Lets rows go, and keeps what minutes counted of them, so that counts stay as they were."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from services.ingest.queries import erased
from services.ingest.queries.events import ERASED_MINUTES, add_rollups
from shared.codec import microseconds
from shared.delivery.postgres import Session
from shared.measures.cells import CellKey, Cells
from shared.measures.fold import Judgement, add_judgement, fold_operations, minute_start
from shared.measures.identity import digest_of
from shared.privacy.marks import FILTERED

OPERATIONS, FEEDBACK, LETTER = "operations", "feedback", "letters"


class Table(NamedTuple):
    """Where rows are, and what of them is looked at."""

    name: str
    columns: str
    fields: Sequence[str]
    stage: str
    following: str
    unnamed: str
    """What rows lose that stay."""


ROWS = Table(
    *("ai_model_operations", erased.OPERATION, FILTERED, OPERATIONS, FEEDBACK),
    "operation_id = w.replaced_by, trace_id = NULL, parent_operation_id = NULL, session_id = NULL,"
    " error_message = NULL, input_text = NULL, output_text = NULL, metadata = NULL",
)
SAID = Table(
    *("user_feedback", erased.FEEDBACK, erased.OF_FEEDBACK, FEEDBACK, LETTER),
    "comment = NULL, correction = NULL, metadata = NULL",
)


async def let_go(
    connection: Session, table: Table, found: tuple[str, Sequence[Any]], mode: str
) -> list[Any]:
    """Erase rows, or take the names out of them; both count from now on as seen before.

    `found`: what finds them, and its values. Answers at most `erased.MOST_ROWS` rows as they were.
    """
    where, values = found
    kept: list[Any] = []
    if mode == "anonymise":
        # What waits for its operation would wait without a name for one that never comes.
        stay = where if table.name == ROWS.name else f"{where} AND model_id IS NOT NULL"
        kept = await erased.unname(
            connection, table.name, table.columns, (stay, values), table.unnamed
        )
        where += " AND model_id IS NULL"
    rows = await erased.take(connection, table.name, table.columns, (where, values))
    if kept or rows:
        await erased.count(connection, [_counted(row) for row in (*kept, *rows)])
    for partition, cells in sorted(_cells(rows, table).items()):
        await add_rollups(connection, *partition, cells, ERASED_MINUTES)
    return [*kept, *rows]


def _counted(row: Any) -> erased.Counted:
    at_us = microseconds(row["occurred_at"])
    name = digest_of(row["tenant_id"], row["event_id"], at_us)
    return (
        *(row["tenant_id"], name, row["kafka_topic"], row["kafka_partition"]),
        *(row["kafka_offset"], row["ingested_at"]),
    )


def _cells(rows: Sequence[Any], table: Table) -> Mapping[tuple[str, int], Cells]:
    """What minutes hold of rows, by partition."""
    parts: dict[tuple[str, int], list[Any]] = {}
    for row in rows:
        parts.setdefault((row["kafka_topic"], row["kafka_partition"]), []).append(row)
    fold = _operations if table.name == ROWS.name else _judgements
    return {partition: fold(some) for partition, some in parts.items()}


def _operations(rows: Sequence[Any]) -> Cells:
    return fold_operations(
        (erased.operation_of(row), microseconds(row["occurred_at"]), row["cost_nano"])
        for row in rows
    )


def _judgements(rows: Sequence[Any]) -> Cells:
    cells: Cells = {}
    for row in rows:
        series = erased.series_of(row)
        if series is not None:
            minute = minute_start(microseconds(row["occurred_at"]))
            cell = cells.setdefault(CellKey(row["tenant_id"], minute, series), {})
            add_judgement(
                cell,
                Judgement(
                    *(row["rating"], row["helpful"], row["accurate"]), row["relevant"], row["fast"]
                ),
            )
    return cells
