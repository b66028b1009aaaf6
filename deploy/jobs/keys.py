"""Make tenants and their API keys."""

import secrets
from dataclasses import dataclass
from uuid import uuid4

import asyncpg

from deploy.jobs.auditing import record
from services.gateway.domain.api_keys import ID_LENGTH, SECRET_BYTES, new_key
from services.gateway.domain.permissions import ROLES
from shared.alerts.ready_made import READY_MADE
from shared.audit.chain import Entry
from shared.audit.recorder import Recorder
from shared.delivery.postgres import Session


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


async def create_key(dsn: str, *, tenant: str, role: str, name: str, audit: Recorder) -> MadeKey:
    """Make a key, and its tenant if there is none yet; `dsn` is the owner's."""
    if role not in ROLES:
        raise KeyRequestError(f"there is no role {role!r}; roles are {', '.join(ROLES)}")
    made = new_key(secrets.token_bytes(ID_LENGTH + SECRET_BYTES))
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            is_new = await connection.fetchval(
                "INSERT INTO tenants (tenant_id) VALUES ($1) ON CONFLICT DO NOTHING RETURNING true",
                tenant,
            )
            if is_new:
                await _give_rules(connection, tenant)
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
            told = {"name": name, "role": role, "permissions": sorted(ROLES[role])}
            done = Entry("key.create", "api_key", made.key_id, None, told | {"new_tenant": is_new})
            await record(connection, audit, tenant, done)
    except asyncpg.CheckViolationError as error:
        raise KeyRequestError(
            f"{tenant!r} is no tenant id: 1 to 64 of a-z, 0-9, underscore and dash"
        ) from error
    finally:
        await connection.close()
    return MadeKey(made.key, made.key_id, tenant, role, name)


async def _give_rules(connection: Session, tenant: str) -> None:
    """A new tenant begins with rules that suit most."""
    await connection.executemany(
        """
        INSERT INTO alert_rules (tenant_id, rule_id, body, created_by)
        VALUES ($1, $2, $3, 'assay')
        """,
        [(tenant, uuid4(), rule.model_dump_json()) for rule in READY_MADE],
    )
