"""Postgres: one connection, some looks at its catalogue."""

from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
from sqlalchemy.engine import make_url

from deploy.doctor.facts import DiskFacts, PostgresFacts, RoleFacts, SchemaFacts, Unseen, Why
from deploy.doctor.probes.host import probe_disk
from deploy.doctor.probes.rights import lacking_rights
from deploy.doctor.probes.ways import compare_clocks, why_away
from deploy.migrations import revisions
from shared.clock import Clock
from shared.store_errors import store_refusal

CONNECT_WITHIN_S = 5.0
DEFAULT_PORT = 5432
ROLES = """
    SELECT rolname, rolcanlogin, rolsuper OR rolbypassrls AS escapes
      FROM pg_roles WHERE rolname = ANY ($1)
"""
SETTINGS = """
    SELECT name, setting FROM pg_settings
     WHERE name IN ('fsync', 'full_page_writes', 'max_connections', 'data_directory')
"""
PARTITIONS = """
    SELECT parent.relname, max(substring(child.relname FROM '[0-9]{8}$'))
      FROM pg_partitioned_table AS p
      JOIN pg_class AS parent ON parent.oid = p.partrelid
      LEFT JOIN pg_inherits AS i ON i.inhparent = parent.oid
      LEFT JOIN pg_class AS child ON child.oid = i.inhrelid
     WHERE parent.relnamespace = 'public'::regnamespace
     GROUP BY 1
"""
IS_HERE = "SELECT coalesce(inet_server_addr() << '127.0.0.0/8' OR inet_server_addr() = '::1', true)"
READ_ONLY = "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean"
MAY_READ = """
    SELECT to_regclass('public.alembic_version') IS NULL
        OR has_table_privilege('public.alembic_version', 'SELECT')
"""


async def probe_postgres(dsn: str, roles: list[str], now: Clock) -> PostgresFacts | Unseen:
    """Facts; as the owner all of them, as a service's role what that may see."""
    try:
        connection = await asyncpg.connect(
            dsn, timeout=CONNECT_WITHIN_S, command_timeout=CONNECT_WITHIN_S
        )
    except Exception as error:
        return await _why_not(dsn, error)
    try:
        return await _facts(connection, roles, now)
    finally:
        connection.terminate()  # a server that hangs would not let us leave


async def _facts(connection: asyncpg.Connection, roles: list[str], now: Clock) -> PostgresFacts:
    ask = connection.fetchval
    schema = await _schema(connection)
    settings = {row[0]: row[1] for row in await connection.fetch(SETTINGS)}
    partitions = {row[0]: row[1] for row in await connection.fetch(PARTITIONS)}
    folder = settings.pop("data_directory", None)
    is_here = bool(await ask(IS_HERE))
    at_head = schema.found == schema.known[-1] or not schema.readable
    return PostgresFacts(
        user=await ask("SELECT current_user::text"),
        version=f"Postgres {(await ask('SHOW server_version')).split()[0]}",
        version_number=int(await ask("SHOW server_version_num")),
        schema=schema,
        clock=await compare_clocks(lambda: ask("SELECT clock_timestamp()"), now),
        roles={row[0]: RoleFacts(row[1], row[2]) for row in await connection.fetch(ROLES, roles)},
        lacking=await lacking_rights(connection) if at_head else None,
        newest_partitions=partitions,
        settings=settings,
        connections=await ask("SELECT count(*) FROM pg_stat_activity WHERE datid IS NOT NULL"),
        read_only=await ask(READ_ONLY),
        disk=_disk(folder) if is_here else None,
    )


def _disk(folder: str | None) -> DiskFacts | None:
    """Of a server behind a tunnel, or in a container, the folder is not on this machine."""
    path = Path(folder) if folder else None
    return replace(probe_disk(path), writable=True) if path and path.is_dir() else None


async def _schema(connection: asyncpg.Connection) -> SchemaFacts:
    known = tuple(revisions())
    if not await connection.fetchval(MAY_READ):
        return SchemaFacts(None, known, readable=False)
    found = None
    if await connection.fetchval("SELECT to_regclass('public.alembic_version')"):
        found = await connection.fetchval("SELECT version_num FROM public.alembic_version")
    return SchemaFacts(found, known)


async def _why_not(dsn: str, error: Exception) -> Unseen:
    if said := store_refusal(error):
        return Unseen(Why.REFUSED, said)
    if isinstance(error, asyncpg.InvalidCatalogNameError):
        name = make_url(dsn).database
        return Unseen(Why.REFUSED, f"there is no database {name!r}: `createdb {name}` makes it")
    if isinstance(error, asyncpg.PostgresError):
        return Unseen(Why.REFUSED, f"Postgres answers: {error}")
    if not isinstance(error, (OSError, TimeoutError)):
        return Unseen(Why.REFUSED, f"ASSAY_POSTGRES_DSN cannot be used: {error}")
    at: Any = urlsplit(dsn)
    return Unseen(Why.AWAY, await why_away(at.hostname or "localhost", at.port or DEFAULT_PORT))
