"""SQL that lets go of what is kept no longer; an ended test's sums stay."""

from datetime import timedelta

from shared.delivery.postgres import Session

_ENDED = "SELECT tenant_id, test_id FROM ab_tests WHERE ended_at < now() - $1::interval"


async def remove_of_ended(connection: Session, table: str, after: timedelta, most: int) -> int:
    """Remove a portion of a table's rows of tests that ended so long ago; answers how many."""
    done = await connection.execute(
        f"""
        DELETE FROM {table} WHERE ctid = ANY(ARRAY(
            SELECT t.ctid FROM {table} AS t JOIN ({_ENDED}) AS ended USING (tenant_id, test_id)
             LIMIT $2))
        """,
        after,
        most,
    )
    return int(done.rpartition(" ")[2])


async def remove_waiting(connection: Session, after: timedelta) -> int:
    """Feedback that waited in vain."""
    done = await connection.execute(
        "DELETE FROM ab_waiting WHERE waits_since < now() - $1::interval", after
    )
    return int(done.rpartition(" ")[2])
