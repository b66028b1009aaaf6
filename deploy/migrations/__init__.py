"""Migrations: plain SQL files, forward only, run in order by Alembic under one lock."""

from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

HERE = Path(__file__).parent


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


async def migrate(dsn: str) -> tuple[str | None, str]:
    """Bring a database to the newest revision; answers the revision before and after."""
    before = await revision(dsn)
    engine = create_async_engine(make_url(dsn).set(drivername="postgresql+asyncpg"))
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
