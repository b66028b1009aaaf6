"""Every column that can hold a person is exported, or said why not: none is forgotten."""

import asyncpg

from services.gateway.queries.subject_classes import CLASSES, LEFT_OUT
from tests.support.system import prepared

SUBJECTS = """
    SELECT c.relname || '.' || a.attname FROM pg_class AS c
      JOIN pg_namespace AS n ON n.oid = c.relnamespace
      JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     WHERE c.relkind IN ('r', 'p') AND n.nspname = 'public'
       AND col_description(c.oid, a.attnum) = 'subject'
"""


async def forgotten(connection: asyncpg.Connection) -> tuple[set[str], set[str]]:
    """Columns that are told nowhere and not said why, and reasons for columns that need none."""
    subjects = {row[0] for row in await connection.fetch(SUBJECTS)}
    tables = {one.table for one in CLASSES}
    untold = {
        name
        for name in subjects
        if (table := name.partition(".")[0]) not in tables
        or all(name.partition(".")[2] in one.without for one in CLASSES if one.table == table)
    }
    return untold - LEFT_OUT.keys(), LEFT_OUT.keys() - untold


async def test_no_column_is_forgotten_and_each_reason_is_needed(database_dsn: str) -> None:
    await prepared(database_dsn)
    connection = await asyncpg.connect(database_dsn)
    try:
        assert await forgotten(connection) == (set(), set())
        await connection.execute("CREATE TABLE people (tenant_id text, who text)")
        await connection.execute("COMMENT ON COLUMN people.who IS 'subject'")
        assert await forgotten(connection) == ({"people.who"}, set())
    finally:
        await connection.execute("DROP TABLE IF EXISTS people")
        await connection.close()


def test_each_reason_says_something() -> None:
    assert all(LEFT_OUT.values())
    assert len({one.name for one in CLASSES}) == len(CLASSES)
