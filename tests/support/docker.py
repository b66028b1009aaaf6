"""The Docker rung of the ladder: containers of the official images, through testcontainers."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.kafka import IMAGE


@contextmanager
def kafka_in_docker() -> Iterator[str]:
    """Bootstrap servers of an apache/kafka container."""
    from testcontainers.kafka import KafkaContainer  # noqa: PLC0415 - only on this rung

    # Its default image is another vendor's and not KRaft.
    with KafkaContainer(IMAGE).with_kraft() as container:
        yield container.get_bootstrap_server()


@contextmanager
def postgres_in_docker() -> Iterator[str]:
    """Superuser DSN of a postgres:18 container."""
    from testcontainers.postgres import PostgresContainer  # noqa: PLC0415 - only on this rung

    with PostgresContainer("postgres:18", driver=None) as container:
        yield container.get_connection_url()


@contextmanager
def redis_in_docker() -> Iterator[str]:
    """URL of a redis:7 container with an append-only file."""
    from testcontainers.redis import RedisContainer  # noqa: PLC0415 - only on this rung

    container = RedisContainer("redis:7").with_command("redis-server --appendonly yes")
    with container:
        host, port = container.get_container_host_ip(), container.get_exposed_port(6379)
        yield f"redis://{host}:{port}/0"
