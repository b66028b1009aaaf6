"""SQL of API keys; their hashes are written here and never read."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from asyncpg import Record

from services.gateway.domain.keys import MANAGES, granted
from services.gateway.queries.objects import Table
from shared.delivery.postgres import Session

KEY = (
    "id, key_id, name, role, permissions, created_at, created_by, expires_at, revoked_at,"
    " last_used_at, replaced_by"
)
KEYS = Table("api_keys", "id", KEY)
LIVE = "revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)"


async def insert(connection: Session, tenant_id: str, values: Sequence[Any]) -> None:
    """Keep a key: id, id in the key, name, role, permissions, hash, maker and end."""
    await connection.execute(
        """
        INSERT INTO api_keys (tenant_id, id, key_id, name, role, permissions, secret_hash,
                              created_by, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        """,
        tenant_id,
        *values,
    )


async def count_live(connection: Session, tenant_id: str, now: datetime) -> int:
    """How many keys of a tenant are good for something."""
    count = await connection.fetchval(
        f"SELECT count(*) FROM api_keys WHERE tenant_id = $1 AND {LIVE}", tenant_id, now
    )
    return int(count)


async def is_last_manager(connection: Session, tenant_id: str, now: datetime, key: Record) -> bool:
    """Whether without this live key nobody could manage the tenant's keys.

    A key that was replaced goes on for its overlap only and cannot be rotated again.
    """
    live = await connection.fetch(
        f"""
        SELECT id, role, permissions, replaced_by FROM api_keys WHERE tenant_id = $1 AND {LIVE}
        """,
        tenant_id,
        now,
    )
    lasting = {
        one["id"]: one["replaced_by"] is None
        for one in live
        if MANAGES in granted(one["role"], frozenset(one["permissions"]))
    }
    return lasting.pop(key["id"], None) is not None and not any(lasting.values())


async def revoke(connection: Session, tenant_id: str, identity: UUID, now: datetime) -> None:
    """From now on a key is good for nothing."""
    await connection.execute(
        """
        UPDATE api_keys SET revoked_at = $3
         WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL
        """,
        tenant_id,
        identity,
        now,
    )


async def replace(
    connection: Session, tenant_id: str, identity: UUID, successor: UUID, until: datetime
) -> None:
    """A key has a successor and ends with the overlap, if it was not to end before."""
    await connection.execute(
        """
        UPDATE api_keys SET replaced_by = $3, expires_at = least(expires_at, $4)
         WHERE tenant_id = $1 AND id = $2
        """,
        tenant_id,
        identity,
        successor,
        until,
    )


async def used(
    connection: Session, tenant_id: str, key_ids: Collection[str], at: datetime, unless: datetime
) -> None:
    """Keys were used; those that were so after `unless` already are left alone."""
    await connection.execute(
        """
        UPDATE api_keys SET last_used_at = $3
         WHERE tenant_id = $1 AND key_id = ANY($2) AND (last_used_at IS NULL OR last_used_at < $4)
        """,
        tenant_id,
        sorted(key_ids),
        at,
        unless,
    )
