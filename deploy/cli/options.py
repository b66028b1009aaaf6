"""What several commands read from the environment."""

import os
from collections.abc import Callable
from typing import TypeVar

from pydantic import ValidationError

from deploy.cli.say import fail
from deploy.jobs.where import Where
from shared.env_settings import EnvSettings, SecretFileError, secret_of
from shared.kafka_settings import KafkaSettings
from shared.proof import Proofs
from shared.settings import what_is_wrong
from shared.store_urls import StoreUrlError, check_postgres, check_redis
from shared.topics import DEFAULT_PARTITIONS, DEFAULT_PREFIX
from shared.trust_settings import TrustSettings

S = TypeVar("S", bound=EnvSettings)
WHERE = "set it, or take it from `assay up --env-file FILE`"


def owner_dsn() -> str:
    """ASSAY_POSTGRES_DSN of the owner."""
    return _needed("ASSAY_POSTGRES_DSN", check_postgres)


def database_named() -> bool:
    """Whether ASSAY_POSTGRES_DSN, or its file, is set."""
    return any(os.environ.get(f"ASSAY_POSTGRES_DSN{more}") for more in ("", "_FILE"))


def kafka() -> KafkaSettings:
    """How to reach Kafka, and how it lets us in."""
    return settings_of(KafkaSettings)


def redis_url() -> str:
    """ASSAY_REDIS_URL."""
    return _needed("ASSAY_REDIS_URL", check_redis)


def redis_cluster() -> bool:
    """ASSAY_REDIS_CLUSTER."""
    return os.environ.get("ASSAY_REDIS_CLUSTER", "false").lower() == "true"


def where() -> Where:
    """Postgres, Redis and the prefix."""
    return Where(owner_dsn(), redis_url(), topic_prefix(), redis_cluster(), durable())


def durable() -> bool:
    """ASSAY_KAFKA_DURABLE."""
    return os.environ.get("ASSAY_KAFKA_DURABLE", "true").lower() != "false"


def topic_prefix() -> str:
    """ASSAY_TOPIC_PREFIX."""
    return os.environ.get("ASSAY_TOPIC_PREFIX", DEFAULT_PREFIX)


def topic_partitions() -> int:
    """ASSAY_TOPIC_PARTITIONS."""
    named = os.environ.get("ASSAY_TOPIC_PARTITIONS", str(DEFAULT_PARTITIONS))
    if not (named.isascii() and named.isdecimal() and int(named) > 0):
        why = f"ASSAY_TOPIC_PARTITIONS is {named!r}, which is no number of partitions"
        fail("This command cannot run.", why, f"set it, or unset it for {DEFAULT_PARTITIONS}")
    return int(named)


def signer() -> Proofs | None:
    """By ASSAY_EVENT_MASTER_KEY, where it is set."""
    return settings_of(TrustSettings).signer


def settings_of(kind: type[S]) -> S:
    """Settings, or the end of the command with what is wrong in them."""
    try:
        return kind()
    except SecretFileError as error:
        fail("This command cannot run.", str(error), "mend the file or the setting")
    except ValidationError as error:
        fail("This command cannot run.", what_is_wrong(error), WHERE)


def _needed(name: str, check: Callable[[str], None]) -> str:
    try:
        value = secret_of(name)
        check(value or "")
    except StoreUrlError as error:
        fail("This command cannot run.", f"{name} is wrong: {error}", "mend the setting")
    except SecretFileError as error:
        fail("This command cannot run.", str(error), "mend the file or the setting")
    if not value:
        fail("This command cannot run.", f"{name} is not set", WHERE)
    return value
