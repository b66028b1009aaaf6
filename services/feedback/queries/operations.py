"""SQL of operations: as ingest stored them, and what is known of those that somebody spoke of."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from pydantic_core import to_json

from services.feedback.domain.agreement import Stand
from services.feedback.domain.making import Operation
from services.feedback.domain.votes import Feedback
from services.feedback.queries.analysis import OperationKey
from shared.delivery.columns import columns_of, unnested
from shared.delivery.postgres import Session

# An operation is looked for in the days around its feedback first: a look into each of ninety days,
# for each feedback, takes longer than all else here.
NEAR = timedelta(days=2)
_COLUMNS = ", ".join(Operation.__slots__)


def _newest(given: str, bound: str = "") -> str:
    """The newest event of each operation. Ordered outside, or all days are read by their times."""
    return f"""
        SELECT o.* FROM {given}
          JOIN LATERAL (SELECT * FROM (
                   SELECT {_COLUMNS} FROM ai_model_operations AS o
                    WHERE o.tenant_id = k.tenant_id AND o.operation_id = k.operation_id {bound}
                    ) AS same ORDER BY occurred_at DESC, event_id DESC LIMIT 1) AS o ON true
    """


_NEAR = _newest(
    "unnest($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[])"
    " AS k (tenant_id, operation_id, since, until)",
    "AND o.occurred_at >= k.since AND o.occurred_at <= k.until",
)
_ANYWHERE = _newest("unnest($1::text[], $2::text[]) AS k (tenant_id, operation_id)")


class Known(NamedTuple):
    """What is kept of an operation that somebody spoke of; nothing of it before it has come."""

    tenant_id: str
    operation_id: str
    occurred_at: datetime | None
    model_id: str | None
    model_version: str | None
    agent_id: str | None
    environment: str | None
    operation_type: str | None
    weighed_at: datetime | None
    stands: str


_TYPES = ("text", "text", "timestamptz", *["text"] * 5, "timestamptz", "jsonb")


async def newest(
    connection: Session, feedback: Mapping[OperationKey, Sequence[Feedback]]
) -> dict[OperationKey, Operation]:
    """Operations as stored: the newest event around what was said, else the newest of all."""
    asked = [(*key, *_around(all_)) for key, all_ in feedback.items()]
    rows = await connection.fetch(_NEAR, *columns_of(asked, 4))
    found = {(row["tenant_id"], row["operation_id"]): Operation(*row) for row in rows}
    missing = [key for key in feedback if key not in found]
    if missing:
        for row in await connection.fetch(_ANYWHERE, *columns_of(missing, 2)):
            found[row["tenant_id"], row["operation_id"]] = Operation(*row)
    return found


def known(
    key: OperationKey, operation: Operation | None, at: datetime, stands: Iterable[Stand]
) -> Known:
    """What is to be kept of an operation, found or not."""
    said = to_json([[one.rater, one.value] for one in stands]).decode()
    if operation is None:
        return Known(key[0], key[1], None, None, None, None, None, None, None, said)
    return Known(
        key[0],
        key[1],
        operation.occurred_at,
        operation.model_id,
        operation.model_version,
        operation.agent_id,
        operation.environment,
        operation.operation_type,
        at,
        said,
    )


def _around(feedback: Sequence[Feedback]) -> tuple[datetime, datetime]:
    times = [one.occurred_at for one in feedback]
    return min(times) - NEAR, max(times) + NEAR


async def keep(connection: Session, rows: Sequence[Known]) -> None:
    """Keep what is known now of operations that somebody spoke of."""
    await connection.execute(
        f"""
        INSERT INTO feedback_operations AS f ({", ".join(Known._fields)}, found_at)
        SELECT k.*, CASE WHEN k.model_id IS NOT NULL THEN clock_timestamp() END
          FROM {unnested(_TYPES)} AS k ({", ".join(Known._fields)})
        ON CONFLICT (tenant_id, operation_id) DO UPDATE
           SET found_at = coalesce(f.found_at, EXCLUDED.found_at),
               {", ".join(f"{name} = EXCLUDED.{name}" for name in Known._fields[2:])}
        """,
        *columns_of(rows, len(_TYPES)),
    )


async def silence(connection: Session, keys: Sequence[OperationKey]) -> None:
    """Nobody says anything of these any more."""
    await connection.execute(
        """
        UPDATE feedback_operations AS f SET stands = '[]', weighed_at = NULL
          FROM unnest($1::text[], $2::text[]) AS k (tenant_id, operation_id)
         WHERE f.tenant_id = k.tenant_id AND f.operation_id = k.operation_id
        """,
        *columns_of(keys, 2),
    )


async def waiting(connection: Session, most: int) -> int:
    """How many operations that somebody spoke of have not come; beyond `most` nobody counts."""
    found = await connection.fetchval(
        """
        SELECT count(*) FROM (SELECT FROM feedback_operations WHERE found_at IS NULL LIMIT $1)
               AS found
        """,
        most,
    )
    return int(found)


async def report(connection: Session, after: timedelta, most: int) -> dict[str, int]:
    """Operations that have been missing for so long, by tenant; each is answered once."""
    rows = await connection.fetch(
        """
        WITH late AS (
            UPDATE feedback_operations AS f SET reported_at = clock_timestamp()
              FROM (SELECT tenant_id, operation_id FROM feedback_operations
                     WHERE found_at IS NULL AND first_at < now() - $1::interval
                       AND reported_at IS NULL
                     ORDER BY first_at LIMIT $2 FOR UPDATE SKIP LOCKED) AS l
             WHERE f.tenant_id = l.tenant_id AND f.operation_id = l.operation_id
            RETURNING f.tenant_id
        )
        SELECT tenant_id, count(*) AS operations FROM late GROUP BY tenant_id
        """,
        after,
        most,
    )
    return {row[0]: row[1] for row in rows}


async def aged(connection: Session, before: datetime, most: int) -> list[OperationKey]:
    """Operations whose rows were weighed before an instant, the oldest first."""
    rows = await connection.fetch(
        """
        SELECT tenant_id, operation_id FROM feedback_operations
         WHERE weighed_at <= $1 ORDER BY weighed_at LIMIT $2
        """,
        before,
        most,
    )
    return [(row[0], row[1]) for row in rows]
