"""Migrations: plain SQL files, forward only, run in order by Alembic under one lock."""

from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import create_async_engine

HERE = Path(__file__).parent


class NewerSchemaError(Exception):
    """A database of a later version; says what to do."""

    def __init__(self, found: str) -> None:
        super().__init__(
            f"the database is at revision {found} and this version knows none after {head()}: a "
            "later version of Assay has used it. Run that version, or name another database "
            "(ASSAY_POSTGRES_DSN), or another folder (--data-dir) for the local one"
        )


def config() -> Config:
    """Alembic's configuration, without a file."""
    settings = Config()
    settings.set_main_option("script_location", str(HERE))
    return settings


def head() -> str:
    """The newest revision."""
    newest = ScriptDirectory.from_config(config()).get_current_head()
    assert newest is not None  # noqa: S101 - there is at least one
    return newest


def revisions() -> list[str]:
    """All revisions that this version knows, from the first to the newest."""
    found = ScriptDirectory.from_config(config()).walk_revisions()
    return [one.revision for one in found][::-1]


async def migrate(dsn: str) -> tuple[str | None, str]:
    """Bring a database to the newest revision; answers the revision before and after.

    Raises `NewerSchemaError` where a later version has been.
    """
    before = await revision(dsn)
    if before is not None and before not in revisions():
        raise NewerSchemaError(before)
    # asyncpg reads the DSN itself, as everywhere: SQLAlchemy knows no sslmode.
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(dsn)
    )
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_upgrade)
            await connection.commit()
    finally:
        await engine.dispose()
    return before, head()


async def revision(dsn: str) -> str | None:
    """The revision a database is at; `None` before the first."""
    connection = await asyncpg.connect(dsn)
    try:
        if await connection.fetchval("SELECT to_regclass('public.alembic_version')") is None:
            return None
        found: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
        return found
    finally:
        await connection.close()


def _upgrade(connection: object) -> None:
    settings = config()
    settings.attributes["connection"] = connection
    command.upgrade(settings, "head")
