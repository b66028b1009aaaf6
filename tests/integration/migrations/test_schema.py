"""No table, partition or role escapes row level security."""

import asyncpg
import pytest

from deploy.jobs.roles import ROLE_OF
from deploy.migrations import head, migrate
from tests.support.system import prepared

SERVICE_ROLES = tuple(ROLE_OF.values())


@pytest.fixture(scope="module")
async def dsns(database_dsn: str) -> dict[str, str]:
    """A migrated database with two tenants and a row of each."""
    found = await prepared(database_dsn)
    connection = await asyncpg.connect(database_dsn)
    await connection.execute("SELECT ensure_day_partition('ai_model_operations', current_date)")
    for tenant in ("acme", "globex"):
        await connection.execute(
            """
            INSERT INTO ai_model_operations (tenant_id, event_id, occurred_at, operation_id,
                model_id, success, response_time_ms, operation_type, environment, payload_hash,
                kafka_topic, kafka_partition, kafka_offset)
            VALUES ($1, gen_random_uuid(), current_date::timestamp AT TIME ZONE 'UTC', 'op', 'm',
                    true, 1, 'chat', 'production', '', 't', 0, 0)
            """,
            tenant,
        )
    await connection.close()
    return found


async def test_migrating_again_changes_nothing(dsns: dict[str, str], database_dsn: str) -> None:
    assert dsns
    assert await migrate(database_dsn) == (head(), head())


async def test_every_table_with_a_tenant_is_under_forced_row_security(
    dsns: dict[str, str], database_dsn: str
) -> None:
    assert dsns
    connection = await asyncpg.connect(database_dsn)
    rows = await connection.fetch(
        """
        SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity FROM pg_class AS c
          JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
          JOIN pg_namespace AS n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p') AND n.nspname IN ('public', 'partitions')
        """
    )
    await connection.close()
    assert len(rows) >= 7
    assert [row["relname"] for row in rows if not (row[1] and row[2])] == []


async def test_service_roles_are_weak_and_partitions_closed(
    dsns: dict[str, str], database_dsn: str
) -> None:
    assert dsns
    connection = await asyncpg.connect(database_dsn)
    strong = await connection.fetch(
        "SELECT rolname FROM pg_roles WHERE rolname = ANY($1)"
        " AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb)",
        SERVICE_ROLES,
    )
    owned = await connection.fetch(
        "SELECT relname FROM pg_class WHERE pg_get_userbyid(relowner) = ANY($1)", SERVICE_ROLES
    )
    granted = await connection.fetch(
        "SELECT grantee FROM information_schema.role_table_grants"
        " WHERE table_schema = 'partitions' AND grantee = ANY($1)",
        SERVICE_ROLES,
    )
    await connection.close()
    assert (strong, owned, granted) == ([], [], [])


async def test_no_row_crosses_and_no_tenant_means_no_rows(dsns: dict[str, str]) -> None:
    connection = await asyncpg.connect(dsns["gateway"])
    seen = {}
    for tenant in ("acme", "globex", ""):
        async with connection.transaction():
            await connection.execute("SELECT set_config('app.tenant_id', $1, true)", tenant)
            rows = await connection.fetch("SELECT DISTINCT tenant_id FROM ai_model_operations")
            seen[tenant] = [row[0] for row in rows]
    assert seen == {"acme": ["acme"], "globex": ["globex"], "": []}
    # After the transaction the setting is gone: fail closed.
    assert await connection.fetch("SELECT 1 FROM ai_model_operations") == []
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute("DELETE FROM ai_model_operations")
    await connection.close()


async def test_ingest_cannot_read_content(dsns: dict[str, str]) -> None:
    connection = await asyncpg.connect(dsns["ingest"])
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.fetch("SELECT input_text FROM ai_model_operations")
    await connection.close()


async def test_a_test_is_its_tenants_own_and_abtest_may_end_it_but_not_rewrite_it(
    dsns: dict[str, str], database_dsn: str
) -> None:
    owner = await asyncpg.connect(database_dsn)
    await owner.execute(
        "INSERT INTO ab_tests"
        " (tenant_id, test_id, key, body, state, epochs, created_by, started_at)"
        " VALUES ('acme', gen_random_uuid(), 'k', '{}', 'running', '[]', 'test', now())"
    )
    gateway = await asyncpg.connect(dsns["gateway"])
    assert await gateway.fetch("SELECT 1 FROM ab_tests") == []
    assert len(await gateway.fetch("SELECT 1 FROM changed_ab_tests(NULL)")) == 1
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await gateway.execute("DELETE FROM ab_tests")
    async with owner.transaction():
        await owner.execute("SET LOCAL ROLE svc_abtest")
        ended = "UPDATE ab_tests SET state = 'concluded', winner = 'b', ended_at = now()"
        assert await owner.execute(ended) == "UPDATE 1"
    rewritten = "SET ROLE svc_abtest; UPDATE ab_tests SET body = '{}'"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await owner.execute(rewritten)
    for connection in (owner, gateway):
        await connection.close()
