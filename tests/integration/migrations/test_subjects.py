"""Every column that can hold a person says so: whoever adds one decides how it is erased."""

import asyncpg
import pytest

from tests.support.system import prepared

COLUMNS = """
    SELECT c.relname || '.' || a.attname AS name, col_description(c.oid, a.attnum) AS said
      FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
      JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     WHERE c.relkind IN ('r', 'p') AND n.nspname = 'public' AND c.relname <> 'alembic_version'
       AND a.atttypid IN ('text'::regtype, 'varchar'::regtype, 'json'::regtype, 'jsonb'::regtype,
                          'bytea'::regtype, 'text[]'::regtype)
"""
HINTS = (
    "user",
    "pseudonym",
    "session",
    "unit",
    "rater",
    "trace",
    "_text",
    "comment",
    "operation_id",
)
# What staff says of a silence, and which aspects a comment told.
NO_PERSON = {"silences.comment", "feedback_analysis.from_comment"}
ANYBODY = {"no subject", "subject"}


@pytest.fixture(scope="module")
async def columns(database_dsn: str) -> dict[str, str | None]:
    """Comment by column, of all columns that hold text, JSON or bytes."""
    await prepared(database_dsn)
    connection = await asyncpg.connect(database_dsn)
    found = {row["name"]: row["said"] for row in await connection.fetch(COLUMNS)}
    await connection.close()
    return found


def forgotten(columns: dict[str, str | None]) -> list[str]:
    """Columns of which nobody has said whether they can hold a person, or said it wrongly."""
    return sorted(
        name
        for name, said in columns.items()
        if said not in ANYBODY
        or (
            said == "no subject"
            and name not in NO_PERSON
            and any(hint in name.partition(".")[2] for hint in HINTS)
        )
    )


async def test_no_column_is_forgotten(columns: dict[str, str | None]) -> None:
    assert len(columns) > 200
    assert forgotten(columns) == []


async def test_a_forgotten_column_is_found(
    columns: dict[str, str | None], database_dsn: str
) -> None:
    connection = await asyncpg.connect(database_dsn)
    try:
        await connection.execute("ALTER TABLE review_items ADD COLUMN remark text")
        await connection.execute("CREATE TABLE people (tenant_id text, user_id text)")
        await connection.execute("COMMENT ON COLUMN people.tenant_id IS 'no subject'")
        await connection.execute("COMMENT ON COLUMN people.user_id IS 'no subject'")
        found = {row["name"]: row["said"] for row in await connection.fetch(COLUMNS)}
    finally:
        await connection.execute("ALTER TABLE review_items DROP COLUMN IF EXISTS remark")
        await connection.execute("DROP TABLE IF EXISTS people")
        await connection.close()
    assert len(found) == len(columns) + 3
    assert forgotten(found) == ["people.user_id", "review_items.remark"]
