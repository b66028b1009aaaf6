"""A database of a test's own, and the parts of services that work on it."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.integration.privacy.parts import Abtest, Feedback, Gateway, Ingest
from tests.support.system import Rows, prepared, querying


@pytest.fixture
async def dsns(fresh_database: str) -> dict[str, str]:
    """Each service's own DSN of a migrated database."""
    return await prepared(fresh_database)


@pytest.fixture
async def rows(fresh_database: str, dsns: dict[str, str]) -> AsyncIterator[Rows]:
    """Ask it as its superuser."""
    assert dsns
    async with querying(fresh_database) as fetch:
        yield fetch


@pytest.fixture
async def gateway(dsns: dict[str, str]) -> AsyncIterator[Gateway]:
    """Who takes erasures in."""
    made = Gateway(dsns["gateway"])
    yield made
    await made.close()


@pytest.fixture
async def ingest(dsns: dict[str, str]) -> AsyncIterator[Ingest]:
    """Who stores and erases rows."""
    async with asyncpg.create_pool(dsns["ingest"], min_size=0, max_size=4) as pool:
        yield Ingest(pool)


@pytest.fixture
async def feedback(dsns: dict[str, str]) -> AsyncIterator[Feedback]:
    """Who keeps votes and makes rows."""
    async with asyncpg.create_pool(dsns["feedback"], min_size=0, max_size=6) as pool:
        yield Feedback(pool)


@pytest.fixture
async def abtest(dsns: dict[str, str]) -> AsyncIterator[Abtest]:
    """Who counts for tests."""
    async with asyncpg.create_pool(dsns["abtest"], min_size=0, max_size=4) as pool:
        yield Abtest(pool)
