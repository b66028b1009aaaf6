"""What several commands read from the environment."""

import os

from deploy.cli.say import fail
from deploy.jobs.where import Where
from shared.topics import DEFAULT_PARTITIONS, DEFAULT_PREFIX

WHERE = "set it, or take it from `assay up --env-file FILE`"


def owner_dsn() -> str:
    """ASSAY_POSTGRES_DSN of the owner."""
    return _needed("ASSAY_POSTGRES_DSN")


def bootstrap_servers() -> str:
    """ASSAY_KAFKA_BOOTSTRAP_SERVERS."""
    return _needed("ASSAY_KAFKA_BOOTSTRAP_SERVERS")


def redis_url() -> str:
    """ASSAY_REDIS_URL."""
    return _needed("ASSAY_REDIS_URL")


def redis_cluster() -> bool:
    """ASSAY_REDIS_CLUSTER."""
    return os.environ.get("ASSAY_REDIS_CLUSTER", "false").lower() == "true"


def where() -> Where:
    """Postgres, Redis and the prefix."""
    return Where(owner_dsn(), redis_url(), topic_prefix(), redis_cluster(), durable())


def idempotence() -> bool:
    """ASSAY_KAFKA_IDEMPOTENCE."""
    return os.environ.get("ASSAY_KAFKA_IDEMPOTENCE", "true").lower() != "false"


def durable() -> bool:
    """ASSAY_KAFKA_DURABLE."""
    return os.environ.get("ASSAY_KAFKA_DURABLE", "true").lower() != "false"


def topic_prefix() -> str:
    """ASSAY_TOPIC_PREFIX."""
    return os.environ.get("ASSAY_TOPIC_PREFIX", DEFAULT_PREFIX)


def topic_partitions() -> int:
    """ASSAY_TOPIC_PARTITIONS."""
    return int(os.environ.get("ASSAY_TOPIC_PARTITIONS", DEFAULT_PARTITIONS))


def _needed(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        fail("This command cannot run.", f"{name} is not set", WHERE)
    return value
