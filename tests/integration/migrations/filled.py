"""A row of each tenant in every table, whatever its columns are; for tests of who sees it."""

from typing import Any

import asyncpg

TENANTS = ("acme", "globex")
VALUES = {
    "uuid": "'00000000-0000-7000-8000-000000000001'::uuid",
    "jsonb": "'{}'::jsonb",
    "bytea": "''::bytea",
    "boolean": "false",
    "date": "current_date",
    "timestamp with time zone": "current_date::timestamptz + interval '1 hour'",
    "text[]": "'{}'::text[]",
    "uuid[]": "'{}'::uuid[]",
    "xid8": "'1'::xid8",
}
NUMBER = "1"


async def fill(connection: asyncpg.Connection) -> list[str]:
    """One row of each tenant per table; answers the tables' names.

    Constraints of this database are dropped for it: who sees a row does not depend on them.
    """
    await _drop_constraints(connection)
    tables = await _tables(connection)
    for table in tables:
        given = [one for one in await columns(connection, table) if not one["made"]]
        for tenant in TENANTS:
            values = {one["name"]: value_of(one, tenant) for one in given}
            values |= {"tenant_id": f"'{tenant}'"}
            names, content = ", ".join(values), ", ".join(values.values())
            await connection.execute(f"DELETE FROM {table} WHERE tenant_id = '{tenant}'")
            await connection.execute(f"INSERT INTO {table} ({names}) VALUES ({content})")
    return tables


async def columns(connection: asyncpg.Connection, table: str) -> list[asyncpg.Record]:
    """Columns by name, type, and whether an insert must name them."""
    found: list[asyncpg.Record] = await connection.fetch(
        """
        SELECT attname AS name, format_type(atttypid, NULL) AS type,
               attnotnull AND NOT atthasdef AND attidentity = '' AS needed,
               attgenerated <> '' OR attidentity = 'a' AS made
          FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped
        """,
        table,
    )
    return found


def value_of(column: Any, word: str = "x") -> str:
    """Something that fits; of texts, this."""
    return f"'{word}'" if column["type"] == "text" else VALUES.get(column["type"], NUMBER)


async def _tables(connection: asyncpg.Connection) -> list[str]:
    found = await connection.fetch(
        """
        SELECT c.relname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
         WHERE a.attname = 'tenant_id' AND c.relnamespace = 'public'::regnamespace
           AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1
        """
    )
    return [one["relname"] for one in found]


async def _drop_constraints(connection: asyncpg.Connection) -> None:
    found = await connection.fetch(
        """
        SELECT conrelid::regclass::text AS t, conname FROM pg_constraint
         WHERE contype IN ('f', 'c') AND conparentid = 0 AND coninhcount = 0
           AND connamespace IN ('public'::regnamespace, 'partitions'::regnamespace)
         ORDER BY contype DESC
        """
    )
    for one in found:
        await connection.execute(
            f'ALTER TABLE {one["t"]} DROP CONSTRAINT IF EXISTS "{one["conname"]}"'
        )
