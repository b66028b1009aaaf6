"""SQL of datasets; group `feedback` freezes them."""

from uuid import UUID

from asyncpg import Record
from pydantic_core import to_json

from services.gateway.domain.datasets import DatasetRequest
from services.gateway.queries.objects import Table
from shared.delivery.postgres import Session

COLUMNS = """
    dataset_id, name, version, state, rows, withdrawn, sha256, manifest, failure, filters, splits,
    formula_version, created_at, created_by, frozen_at
"""
DATASETS = Table("datasets", "dataset_id", COLUMNS)


async def count_freezing(connection: Session, tenant_id: str) -> int:
    """How many datasets of a tenant are still to be frozen."""
    asked = "SELECT count(*) FROM datasets WHERE tenant_id = $1 AND state = 'freezing'"
    return int(await connection.fetchval(asked, tenant_id))


async def insert(
    connection: Session, tenant_id: str, dataset_id: UUID, asked: DatasetRequest, actor: str
) -> Record:
    """Ask for the next version of a name."""
    row = await connection.fetchrow(
        f"""
        INSERT INTO datasets (tenant_id, dataset_id, name, version, filters, splits, state,
                              created_by)
        SELECT $1, $2, $3,
               1 + coalesce((SELECT max(version) FROM datasets
                              WHERE tenant_id = $1 AND name = $3), 0),
               $4, $5, 'freezing', $6
        RETURNING {COLUMNS}
        """,
        tenant_id,
        dataset_id,
        asked.name,
        to_json(asked.filters.kept()).decode(),
        to_json(asked.splits).decode(),
        actor,
    )
    assert row is not None  # noqa: S101 - an insert returns its row
    return row
