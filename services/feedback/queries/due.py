"""SQL of notes: operations whose rows are to be made anew."""

from collections.abc import Collection
from typing import Final

from services.feedback.queries.analysis import OperationKey
from shared.delivery.columns import columns_of
from shared.delivery.postgres import Session
from shared.training.shards import shard_of

_ONE_MAKER: Final = "SELECT pg_try_advisory_xact_lock(hashtext('assay.feedback-make'), $1)"


async def note(connection: Session, keys: Collection[OperationKey]) -> None:
    """Note operations down, each once."""
    rows = [(*key, shard_of(*key)) for key in sorted(set(keys))]
    if rows:
        await connection.execute(
            """
            INSERT INTO feedback_due (tenant_id, operation_id, shard)
            SELECT * FROM unnest($1::text[], $2::text[], $3::smallint[])
            """,
            *columns_of(rows, 3),
        )


async def take_shard(connection: Session, shard: int) -> bool:
    """Whether this transaction is the only one that makes rows of a shard."""
    return bool(await connection.fetchval(_ONE_MAKER, shard))


async def shards(connection: Session) -> list[int]:
    """Shards in which something is due, the longest waiting first."""
    rows = await connection.fetch(
        """
        SELECT s.shard FROM generate_series(0, 15) AS s (shard)
         CROSS JOIN LATERAL (SELECT due_id FROM feedback_due
                              WHERE shard = s.shard AND due_at <= clock_timestamp()
                              ORDER BY due_id LIMIT 1) AS first
         ORDER BY first.due_id
        """
    )
    return [row[0] for row in rows]


async def take(connection: Session, shard: int, most: int) -> list[OperationKey]:
    """Take out the oldest notes of a shard, and all others of their operations, which it answers.

    A note that is written from now on is not among them: its operation is made again.
    """
    rows = await connection.fetch(
        """
        WITH taken AS (
            DELETE FROM feedback_due AS d USING (
                SELECT DISTINCT tenant_id, operation_id FROM (
                    SELECT tenant_id, operation_id FROM feedback_due
                     WHERE shard = $1 AND due_at <= clock_timestamp()
                     ORDER BY due_id LIMIT $2) AS notes
            ) AS oldest
             WHERE d.tenant_id = oldest.tenant_id AND d.operation_id = oldest.operation_id
            RETURNING d.tenant_id, d.operation_id
        )
        SELECT DISTINCT tenant_id, operation_id FROM taken ORDER BY tenant_id, operation_id
        """,
        shard,
        most,
    )
    return [(row[0], row[1]) for row in rows]


async def put_off(connection: Session, shard: int) -> None:
    """Let the oldest note of a shard, and the others of its operation, wait ten minutes."""
    await connection.execute(
        """
        UPDATE feedback_due AS d SET due_at = clock_timestamp() + interval '10 minutes'
          FROM (SELECT tenant_id, operation_id FROM feedback_due
                 WHERE shard = $1 AND due_at <= clock_timestamp()
                 ORDER BY due_id LIMIT 1) AS first
         WHERE d.tenant_id = first.tenant_id AND d.operation_id = first.operation_id
        """,
        shard,
    )


async def count(connection: Session, most: int) -> int:
    """How many notes there are; beyond `most` nobody counts."""
    found = await connection.fetchval(
        "SELECT count(*) FROM (SELECT FROM feedback_due LIMIT $1) AS found", most
    )
    return int(found)
