"""Run a whole SQL file: several statements do not fit one prepared statement."""

from pathlib import Path

from alembic import op

SQL = Path(__file__).parent / "sql"


def run_file(name: str) -> None:
    """Hand the file to asyncpg's own connection, inside the migration's transaction."""
    content = (SQL / name).read_text()
    adapted = op.get_bind().connection.dbapi_connection
    assert adapted is not None  # noqa: S101 - a live migration has one
    adapted.run_async(lambda driver: driver.execute(content))
