"""Make tenants and their API keys."""

import secrets
from dataclasses import dataclass

import asyncpg

from services.gateway.domain.api_keys import ID_LENGTH, SECRET_BYTES, new_key
from services.gateway.domain.permissions import ROLES


class KeyRequestError(Exception):
    """A key cannot be made as asked."""


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A new key; this is the only time it is seen whole."""

    key: str
    key_id: str
    tenant_id: str
    role: str
    name: str


async def create_key(dsn: str, *, tenant: str, role: str, name: str) -> MadeKey:
    """Make a key, and its tenant if there is none yet; `dsn` is the owner's."""
    if role not in ROLES:
        raise KeyRequestError(f"there is no role {role!r}; roles are {', '.join(ROLES)}")
    made = new_key(secrets.token_bytes(ID_LENGTH + SECRET_BYTES))
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await connection.execute(
                "INSERT INTO tenants (tenant_id) VALUES ($1) ON CONFLICT DO NOTHING", tenant
            )
            await connection.execute(
                """
                INSERT INTO api_keys (tenant_id, key_id, name, role, permissions, secret_hash,
                                      created_by)
                VALUES ($1, $2, $3, $4, $5, $6, 'assay keys create')
                """,
                tenant,
                made.key_id,
                name,
                role,
                sorted(ROLES[role]),
                made.secret_hash,
            )
    except asyncpg.CheckViolationError as error:
        raise KeyRequestError(
            f"{tenant!r} is no tenant id: 1 to 64 of a-z, 0-9, underscore and dash"
        ) from error
    finally:
        await connection.close()
    return MadeKey(made.key, made.key_id, tenant, role, name)
