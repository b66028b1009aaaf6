"""SQL of datasets that are to be frozen."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from pydantic_core import from_json, to_json

from services.feedback.domain.freezing import Asked
from shared.delivery.columns import stage
from shared.delivery.postgres import Session
from shared.training.filters import READY, DatasetFilters, clauses
from shared.training.row import TrainingRow
from shared.training.stored import COLUMNS, ORDER, row_of

PORTION = 500
PATIENCE_S = 300
"""What a portion may take: the first one sorts."""
WEIGHED = ("min_quality", "max_quality", "min_weight")
_TYPES = {
    "tenant_id": "text",
    "dataset_id": "uuid",
    "position": "bigint",
    "row_id": "uuid",
    **dict.fromkeys(("operation_id", "kind"), "text"),
    "occurred_at": "timestamptz",
    **dict.fromkeys(("model_id", "model_version", "agent_id", "environment"), "text"),
    **dict.fromkeys(("operation_type", "prompt_version", "ab_test_id", "variant"), "text"),
    **dict.fromkeys(("input", "output", "correction"), "text"),
    **dict.fromkeys(("quality", "weight"), "float8"),
    "reasons": "text[]",
    "consent": "boolean",
    **dict.fromkeys(("split", "formula_version"), "text"),
    "weighed_at": "timestamptz",
    "lineage": "jsonb",
    "has_pii": "boolean",
    "input_hash": "bytea",
}
_COLUMNS = ", ".join(_TYPES)


async def next_asked(connection: Session) -> Asked | None:
    """The dataset without rows that waits longest, ours until the transaction ends."""
    row = await connection.fetchrow(
        """
        SELECT tenant_id, dataset_id, name, version, filters, splits FROM datasets
         WHERE state = 'freezing' AND manifest IS NULL
         ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED
        """
    )
    if row is None:
        return None
    return Asked(
        row["tenant_id"],
        row["dataset_id"],
        row["name"],
        row["version"],
        from_json(row["filters"]),
        from_json(row["splits"]),
    )


async def finish(connection: Session) -> bool:
    """Open a dataset whose rows are copied, without those that were withdrawn while they were.

    Whoever withdraws a row takes it out of datasets that he sees; of one that was being copied,
    this does.
    """
    row = await connection.fetchrow(
        """
        SELECT tenant_id, dataset_id FROM datasets
         WHERE state = 'freezing' AND manifest IS NOT NULL
         ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED
        """
    )
    if row is None:
        return False
    done = await connection.execute(
        """
        DELETE FROM dataset_rows AS r
         WHERE r.tenant_id = $1 AND r.dataset_id = $2 AND (
               EXISTS (SELECT FROM model_training_data AS m
                        WHERE m.tenant_id = r.tenant_id AND m.operation_id = r.operation_id
                          AND (m.consent IS FALSE
                               OR (m.row_id = r.row_id AND m.state = 'withdrawn')))
            OR EXISTS (SELECT FROM training_blocks AS b
                        WHERE b.tenant_id = r.tenant_id AND b.row_id = r.row_id))
        """,
        *row,
    )
    await connection.execute(
        """
        UPDATE datasets SET state = 'frozen', frozen_at = now(), withdrawn = withdrawn + $3
         WHERE tenant_id = $1 AND dataset_id = $2
        """,
        *row,
        int(done.split()[-1]),
    )
    return True


async def rows(connection: Session, asked: Asked) -> AsyncIterator[Sequence[Any]]:
    """Rows that a dataset is made of, some at a time, in the order of the file.

    Each is the row, its terms, and the hash of its input.
    """
    # What is weighed anew is compared with what it then weighs.
    filters = DatasetFilters.model_validate(dict(asked.filters))
    found, values = clauses(filters.model_copy(update=dict.fromkeys(WEIGHED)), 2)
    where = " AND ".join(["r.tenant_id = $1", READY, *found])
    cursor = await connection.cursor(
        f"SELECT r.terms, r.input_hash, {COLUMNS} FROM model_training_data AS r"
        f" WHERE {where} ORDER BY {ORDER}",
        asked.tenant_id,
        *values,
        timeout=PATIENCE_S,
    )
    while records := await cursor.fetch(PORTION, timeout=PATIENCE_S):
        yield [(row_of(record[2:]), from_json(record[0]), record[1]) for record in records]


async def add(
    connection: Session,
    asked: Asked,
    first: int,
    frozen: Sequence[tuple[TrainingRow, bytes | None]],
) -> None:
    """Keep copies of rows, in their places from `first` on."""
    staged = (
        (
            *(asked.tenant_id, asked.dataset_id, first + place),
            *(row.id, row.operation_id, row.kind, row.occurred_at),
            *(row.model_id, row.model_version, row.agent_id, row.environment),
            *(row.operation_type, row.prompt_version, row.ab_test_id, row.variant),
            *(row.input, row.output, row.correction, row.quality, row.weight),
            *(list(row.reasons), row.consent, row.split, row.formula_version, row.weighed_at),
            *(to_json(row.lineage).decode(), row.has_pii, input_hash),
        )
        for place, (row, input_hash) in enumerate(frozen)
    )
    await stage(connection, "staged_dataset_rows", _TYPES, staged)
    await connection.execute(
        f"INSERT INTO dataset_rows ({_COLUMNS}) SELECT {_COLUMNS} FROM pg_temp.staged_dataset_rows"
    )
    await connection.execute("TRUNCATE pg_temp.staged_dataset_rows")


async def freeze(connection: Session, asked: Asked, manifest: dict[str, Any], at: datetime) -> None:
    """All of it is there; it is opened by `finish`."""
    await connection.execute(
        """
        UPDATE datasets SET rows = $3, sha256 = $4, manifest = $5, formula_version = $6,
               weighed_at = $7
         WHERE tenant_id = $1 AND dataset_id = $2
        """,
        asked.tenant_id,
        asked.dataset_id,
        manifest["rows"],
        manifest["sha256"],
        to_json(manifest).decode(),
        manifest["formula_version"],
        at,
    )


async def fail(connection: Session, asked: Asked, why: str) -> None:
    """It cannot be frozen."""
    await connection.execute(
        """
        UPDATE datasets SET state = 'failed', failure = $3
         WHERE tenant_id = $1 AND dataset_id = $2 AND state = 'freezing'
        """,
        asked.tenant_id,
        asked.dataset_id,
        why,
    )
