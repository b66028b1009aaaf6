"""What the schema lets roles do; that nothing escapes row security is in test_catalogue.py."""

import asyncpg
import pytest

from deploy.migrations import NewerSchemaError, head, migrate
from tests.support.system import prepared, querying


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


async def test_a_database_of_a_later_version_is_refused_in_words(
    dsns: dict[str, str], database_dsn: str
) -> None:
    assert dsns
    async with querying(database_dsn) as rows:
        await rows("UPDATE alembic_version SET version_num = '9999'")
        try:
            with pytest.raises(NewerSchemaError, match=r"9999.*a later version"):
                await migrate(database_dsn)
        finally:
            await rows("UPDATE alembic_version SET version_num = $1", head())


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
