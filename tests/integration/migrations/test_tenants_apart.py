"""Every role on every table: with one tenant's context nobody touches another's row."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

import asyncpg
import pytest

from deploy.jobs.roles import ROLE_OF
from tests.integration.migrations.catalogue import GATEWAY, SEES_ALL
from tests.integration.migrations.filled import columns, fill, value_of
from tests.support.system import prepared

ROLES = tuple(ROLE_OF.values())
OWN, FOREIGN = "acme", "globex"
REFUSED = asyncpg.InsufficientPrivilegeError
LEAST_TABLES = 40


class Filled(NamedTuple):
    """A superuser's connection, and the tables that hold a row of each tenant."""

    connection: asyncpg.Connection
    tables: list[str]

    @asynccontextmanager
    async def acting(self, role: str, tenant: str) -> AsyncIterator[asyncpg.Connection]:
        """As a role, with a tenant's context; all is undone."""
        transaction = self.connection.transaction()
        await transaction.start()
        try:
            await self.connection.execute(f"SET LOCAL ROLE {role}")
            await self.connection.execute("SELECT set_config('app.tenant_id', $1, true)", tenant)
            yield self.connection
        finally:
            await transaction.rollback()

    async def may(self, role: str, table: str, right: str) -> list[asyncpg.Record]:
        """Columns on which a role has a right."""
        return [
            one
            for one in await columns(self.connection, table)
            if not one["made"]
            and await self.connection.fetchval(
                "SELECT has_column_privilege($1, $2, $3::text, $4)", role, table, one["name"], right
            )
        ]


@pytest.fixture(scope="module")
async def filled(database_dsn: str) -> AsyncIterator[Filled]:
    await prepared(database_dsn)
    connection = await asyncpg.connect(database_dsn)
    for table in ("ai_model_operations", "user_feedback"):
        await connection.execute(f"SELECT ensure_day_partition('{table}', current_date)")
    yield Filled(connection, await fill(connection))
    await connection.close()


def test_the_walk_reaches_the_tables(filled: Filled) -> None:
    assert len(filled.tables) >= LEAST_TABLES


@pytest.mark.parametrize("role", ROLES)
async def test_no_row_of_another_tenant_is_read(filled: Filled, role: str) -> None:
    read = 0
    for table in filled.tables:
        readable = await filled.may(role, table, "SELECT")
        if not readable:
            continue
        counted = f"SELECT count(*) FROM (SELECT {readable[0]['name']} FROM {table}) AS rows"
        async with filled.acting(role, OWN) as connection:
            seen = await connection.fetchval(counted)
        async with filled.acting(role, "") as connection:
            without = await connection.fetchval(counted)
        everything = table in SEES_ALL.get(role, ())
        assert (seen, without) == ((2, 2) if everything else (1, 0)), table
        read += 1
    assert read


@pytest.mark.parametrize("role", ROLES)
async def test_no_row_is_put_into_another_tenant(filled: Filled, role: str) -> None:
    for table in filled.tables:
        writable = await filled.may(role, table, "INSERT")
        if not writable:
            continue
        values = {one["name"]: value_of(one) for one in writable if one["needed"]}
        for tenant in (FOREIGN, OWN):
            given = values | {"tenant_id": f"'{tenant}'"}
            insert = (
                f"INSERT INTO {table} ({', '.join(given)}) VALUES ({', '.join(given.values())})"
            )
            async with filled.acting(role, OWN) as connection:
                if tenant == FOREIGN and table not in SEES_ALL.get(role, ()):
                    with pytest.raises(REFUSED, match="row-level security"):
                        await connection.execute(insert)
                else:
                    await _taken(connection, insert)


async def _taken(connection: asyncpg.Connection, insert: str) -> None:
    """Put in, or refused for no reason of tenants: its key is there, or a column needs more."""
    with suppress(asyncpg.UniqueViolationError, asyncpg.NotNullViolationError):
        await connection.execute(insert)


@pytest.mark.parametrize("role", ROLES)
async def test_no_row_of_another_tenant_is_changed_or_moved(filled: Filled, role: str) -> None:
    for table in filled.tables:
        everything = table in SEES_ALL.get(role, ())
        readable = await filled.may(role, table, "SELECT")
        for column in await filled.may(role, table, "UPDATE"):
            name = column["name"]
            value = name if column in readable else value_of(column)
            async with filled.acting(role, OWN) as connection:
                if name == "tenant_id" and not everything:
                    with pytest.raises(REFUSED, match="row-level security"):
                        await connection.execute(f"UPDATE {table} SET tenant_id = '{FOREIGN}'")
                elif name != "tenant_id":
                    done = await connection.execute(f"UPDATE {table} SET {name} = {value}")
                    assert done == f"UPDATE {2 if everything else 1}", (table, name)


@pytest.mark.parametrize("role", ROLES)
async def test_no_row_of_another_tenant_is_deleted(filled: Filled, role: str) -> None:
    for table in filled.tables:
        everything = table in SEES_ALL.get(role, ())
        async with filled.acting(role, OWN) as connection:
            try:
                done = await connection.execute(f"DELETE FROM {table}")
            except REFUSED:
                continue
            assert done == f"DELETE {2 if everything else 1}", table


async def test_views_show_what_their_reader_may_see(filled: Filled) -> None:
    views = await filled.connection.fetch(
        "SELECT relname FROM pg_class WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace"
    )
    assert views
    for (view,) in views:
        for role in ROLES:
            if not await filled.may(role, view, "SELECT"):
                continue
            async with filled.acting(role, OWN) as connection:
                seen = await connection.fetch(f"SELECT DISTINCT tenant_id FROM {view}")
            allowed = {OWN, FOREIGN} if view in SEES_ALL.get(role, ()) else {OWN}
            assert {one["tenant_id"] for one in seen} <= allowed, (view, role)
            assert seen, (view, role)


async def test_partitions_are_reached_through_their_parent_only(filled: Filled) -> None:
    partitions = await filled.connection.fetch(
        "SELECT oid::regclass::text FROM pg_class WHERE relispartition AND relkind = 'r'"
    )
    assert partitions
    for (name,) in partitions:
        for role in ROLES:
            for statement in (f"SELECT 1 FROM {name}", f"DELETE FROM {name}"):
                async with filled.acting(role, OWN) as connection:
                    with pytest.raises(REFUSED):
                        await connection.execute(statement)


async def test_the_context_ends_with_its_transaction(filled: Filled) -> None:
    async with filled.acting(GATEWAY, OWN):
        pass
    async with filled.connection.transaction():
        await filled.connection.execute(f"SET LOCAL ROLE {GATEWAY}")
        assert await filled.connection.fetchval("SELECT current_tenant()") is None
        assert await filled.connection.fetchval("SELECT count(*) FROM silences") == 0
