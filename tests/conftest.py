"""Fixtures: real servers, started once and only when a test asks for them."""

import asyncio
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from hypothesis import settings
from redis import Redis

from deploy.local.kafka_jars import KafkaJars
from tests.support import docker
from tests.support import kafka as kafka_support
from tests.support import stores as stores_support

# No test is about how long it takes: a busy machine would fail it.
settings.register_profile("assay", deadline=None)
settings.load_profile("assay")

REAL = {"kafka", "kafka_bootstrap", "topic_prefix", "postgres_dsn", "database_dsn", "redis_url"}
DOCS_DATA = Path(__file__).parents[2] / "shared" / "data"


def pytest_report_header() -> list[str]:
    """Say which servers the integration tests stand on."""
    return [
        f"kafka: {kafka_support.rung() or 'none: integration tests cannot run'}",
        f"postgres: {stores_support.postgres_rung()}",
        f"redis: {stores_support.redis_rung()}",
    ]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs servers."""
    for item in items:
        if REAL & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.integration)


@pytest.fixture(scope="session")
def kafka_bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Bootstrap servers of a real Apache Kafka."""
    named = os.environ.get("ASSAY_TEST_KAFKA")
    if named:
        yield named
    elif kafka_support.docker_answers():
        with docker.kafka_in_docker() as bootstrap:
            yield bootstrap
    elif kafka_support.rung() is None:
        without = "no Kafka: set ASSAY_TEST_KAFKA, start Docker, or install a JDK 17 and Maven"
        if os.environ.get("CI"):
            pytest.fail(without)  # a skipped broker would make the delivery tests mean nothing
        pytest.skip(without)
    else:
        server = KafkaJars(tmp_path_factory.mktemp("kafka"))
        server.start()
        yield server.bootstrap
        server.stop()


@pytest.fixture(scope="session")
def seed() -> int:
    """Decides traffic and the order of blows; printed, and taken from ASSAY_TEST_SEED."""
    return int(os.environ.get("ASSAY_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 2**31)


@pytest.fixture(scope="module")
def topic_prefix() -> str:
    """A prefix of this module's own, so that its topics start empty."""
    return f"t{uuid4().hex[:8]}."


@pytest.fixture(scope="session")
def postgres_dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Superuser DSN of a real Postgres."""
    named = os.environ.get("ASSAY_TEST_POSTGRES")
    if named:
        yield named
    elif kafka_support.docker_answers():
        with docker.postgres_in_docker() as dsn:
            yield dsn
    else:
        server = stores_support.PostgresHere(tmp_path_factory.mktemp("postgres"))
        server.start()
        yield server.dsn
        server.discard()


@pytest.fixture(scope="module")
def database_dsn(postgres_dsn: str) -> Iterator[str]:
    """Superuser DSN of a database of this module's own."""
    yield from _database(postgres_dsn)


@pytest.fixture
def fresh_prefix() -> str:
    """A prefix of this test's own."""
    return f"t{uuid4().hex[:8]}."


@pytest.fixture
def fresh_database(postgres_dsn: str) -> Iterator[str]:
    """Superuser DSN of a database of this test's own."""
    yield from _database(postgres_dsn)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a real Redis."""
    named = os.environ.get("ASSAY_TEST_REDIS")
    if named:
        yield named
    elif kafka_support.docker_answers():
        with docker.redis_in_docker() as url:
            yield url
    else:
        server = stores_support.RedisHere(tmp_path_factory.mktemp("redis"))
        server.start()
        yield server.url
        server.stop()


@pytest.fixture(scope="module")
def redis_url(redis_server: str) -> str:
    """URL of a Redis that holds nothing yet."""
    with Redis.from_url(redis_server) as client:
        client.flushall()
    return redis_server


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """Real traffic and reference numbers, which are not part of this repository."""
    if not DOCS_DATA.exists():
        pytest.skip(f"reference data not found at {DOCS_DATA}")
    return DOCS_DATA


def _database(dsn: str) -> Iterator[str]:
    name = f"t{uuid4().hex[:8]}"
    _run_sql(dsn, f"CREATE DATABASE {name}")
    yield dsn.rpartition("/")[0] + "/" + name
    _run_sql(dsn, f"DROP DATABASE {name} WITH (FORCE)")


def _run_sql(dsn: str, statement: str) -> None:
    async def run() -> Any:
        connection = await asyncpg.connect(dsn)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(run())
