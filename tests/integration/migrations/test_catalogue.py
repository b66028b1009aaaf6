"""Nothing in the catalogue escapes row level security, and the walk would see it if it did."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from deploy.jobs.roles import ROLE_OF
from tests.integration.migrations.catalogue import GATEWAY, SEES_ALL, escapes
from tests.support.system import prepared


@pytest.fixture(scope="module")
async def connection(database_dsn: str) -> AsyncIterator[asyncpg.Connection]:
    await prepared(database_dsn)
    found = await asyncpg.connect(database_dsn)
    for table in ("ai_model_operations", "user_feedback"):
        await found.execute(f"SELECT ensure_day_partition('{table}', current_date)")
    yield found
    await found.close()


async def test_nothing_escapes(connection: asyncpg.Connection) -> None:
    assert await escapes(connection.fetch) == []


def test_each_service_has_its_role() -> None:
    assert set(ROLE_OF.values()) == {GATEWAY, *SEES_ALL}


@pytest.mark.parametrize(
    ("statement", "seen"),
    [
        ("CREATE TABLE forgotten (tenant_id text)", "open_tables: public.forgotten"),
        ("CREATE TABLE undeclared (secret text)", "open_tables: public.undeclared"),
        ("CREATE SCHEMA aside; CREATE TABLE aside.t (tenant_id text)", "open_tables: aside.t"),
        (
            "CREATE TABLE t (tenant_id text); ALTER TABLE t ENABLE ROW LEVEL SECURITY",
            "open_tables: public.t",
        ),
        ("ALTER TABLE api_keys NO FORCE ROW LEVEL SECURITY", "open_tables: public.api_keys"),
        (
            "DO $$ DECLARE p text; BEGIN SELECT relname INTO p FROM pg_class WHERE relispartition"
            " AND relkind = 'r' LIMIT 1; EXECUTE 'ALTER TABLE partitions.' || p ||"
            " ' DISABLE ROW LEVEL SECURITY'; END $$",
            "open_tables: partitions.",
        ),
        ("CREATE POLICY p ON silences TO svc_api USING (true)", "loose_policies: p on silences"),
        ("CREATE POLICY p ON silences USING (true)", "loose_policies: p on silences"),
        ("CREATE POLICY p ON api_keys TO svc_notify USING (true)", "loose_policies: p on api_keys"),
        (
            "CREATE POLICY p ON silences TO svc_api USING (tenant_id = current_tenant())"
            " WITH CHECK (true)",
            "loose_policies: p on silences",
        ),
        ("CREATE VIEW v AS SELECT * FROM api_keys", "open_views: v"),
        ("CREATE MATERIALIZED VIEW v AS SELECT * FROM api_keys", "open_views: v"),
        (
            "CREATE FUNCTION f() RETURNS SETOF api_keys LANGUAGE sql SECURITY DEFINER"
            " AS 'SELECT * FROM api_keys'",
            "loose_functions: f",
        ),
        ("ALTER FUNCTION find_api_key RESET search_path", "loose_functions: find_api_key"),
        ("GRANT EXECUTE ON FUNCTION find_api_key TO PUBLIC", "loose_functions: find_api_key"),
        ("GRANT EXECUTE ON FUNCTION find_api_key TO svc_ingest", "loose_functions: find_api_key"),
        ("GRANT SELECT ON silences TO PUBLIC", "loose_grants: SELECT on silences to public"),
        ("GRANT TRUNCATE ON silences TO svc_api", "loose_grants: TRUNCATE on silences to svc_api"),
        (
            "GRANT SELECT (name) ON api_keys TO svc_api WITH GRANT OPTION",
            "loose_grants: SELECT on api_keys to svc_api",
        ),
        (
            "DO $$ DECLARE p text; BEGIN SELECT relname INTO p FROM pg_class WHERE relispartition"
            " AND relkind = 'r' LIMIT 1; EXECUTE 'GRANT SELECT ON partitions.' || p ||"
            " ' TO svc_api'; END $$",
            "loose_grants: SELECT on ",
        ),
        ("ALTER ROLE svc_api BYPASSRLS", "strong_roles: svc_api"),
        ("GRANT assay_owner TO svc_api", "strong_roles: svc_api"),
        ("GRANT CREATE ON SCHEMA public TO svc_metrics", "strong_roles: svc_metrics"),
        ("GRANT USAGE ON SCHEMA partitions TO svc_api", "strong_roles: svc_api"),
        ("CREATE ROLE svc_new", "strong_roles: svc_new"),
        ("CREATE UNIQUE INDEX u ON silences (silence_id)", "shared_keys: u"),
        (
            "CREATE UNIQUE INDEX s ON silences (tenant_id, silence_id); CREATE TABLE t (tenant_id"
            " text, k text REFERENCES tenants (tenant_id))",
            "shared_keys: t_k_fkey",
        ),
    ],
)
async def test_the_walk_sees_what_would_escape(
    connection: asyncpg.Connection, statement: str, seen: str
) -> None:
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(statement)
        found = await escapes(connection.fetch)
    finally:
        await transaction.rollback()
    assert any(one.startswith(seen) for one in found), found
