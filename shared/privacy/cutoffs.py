"""SQL of how long tenants keep what: before when it has been kept long enough."""

from datetime import datetime

from shared.delivery.postgres import Session


async def cutoffs(connection: Session, of_class: str) -> dict[str | None, datetime]:
    """By tenant; without those of whom nothing goes. `None` stands for what is of no tenant.

    The database looks at every tenant for an answer: ask once for all of them.
    """
    rows = await connection.fetch(
        "SELECT tenant_id, cutoff FROM retention_cutoffs($1) WHERE cutoff > '-infinity'", of_class
    )
    return {row["tenant_id"]: row["cutoff"] for row in rows}


async def cutoff(connection: Session, of_class: str, tenant_id: str | None) -> datetime | None:
    """Of one tenant, as of this instant; `None`: nothing goes."""
    at: datetime | None = await connection.fetchval(
        "SELECT cutoff FROM retention_cutoffs($1)"
        " WHERE tenant_id IS NOT DISTINCT FROM $2 AND cutoff > '-infinity'",
        *(of_class, tenant_id),
    )
    return at
