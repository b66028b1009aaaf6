"""What was made of operations that are not kept any more: noted here, and erased by erasers."""

from asyncpg import Pool

from services.feedback.queries import retention
from shared.delivery.postgres import LIMITS
from shared.privacy.cutoffs import cutoffs
from shared.privacy.retention import GRACE

MOST = 500


class PostgresRetaining:
    """Looks for what is left of operations."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def look(self) -> int:
        """Note a portion of each tenant; answers how many operations."""
        async with self._pool.acquire() as connection:
            noted = 0
            for tenant_id, cutoff in (await cutoffs(connection, "operations")).items():
                if tenant_id is None:
                    continue
                async with connection.transaction():
                    await connection.execute(LIMITS)
                    # As late as ingest, at least: before, somebody might vote on what is there.
                    before = cutoff - GRACE
                    noted += await retention.note_gone(connection, tenant_id, before, MOST)
        return noted
