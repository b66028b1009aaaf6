"""Settings that several services read, from the environment only, once, at start."""

import sys
from typing import Annotated, Literal, TypeVar

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.topics import DEFAULT_PARTITIONS, DEFAULT_PREFIX

PREFIX = "ASSAY_"
MIN_SECRET = 32

S = TypeVar("S", bound=BaseSettings)


class SharedSettings(BaseSettings):
    """How to reach Kafka and Redis, and how to log."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    kafka_bootstrap_servers: str = Field(description="host:port, several separated by commas.")
    kafka_idempotence: bool = Field(
        True, description="Off only for brokers without idempotent producers."
    )
    kafka_exact_ends: bool = Field(
        True, description="Off only for brokers whose log ends lag behind their records."
    )
    kafka_durable: bool = Field(
        True,
        description="Off only for brokers that forget: ingest then waits for Postgres' disk.",
    )
    topic_prefix: str = Field(DEFAULT_PREFIX, pattern=r"^[a-z0-9._-]{0,64}$")
    topic_partitions: Annotated[int, Field(ge=1, le=1024)] = DEFAULT_PARTITIONS
    redis_url: SecretStr = Field(description="redis:// or rediss://")
    redis_cluster: bool = False
    event_trust: Literal["open"] = Field(
        "open", description="open: whoever may write to the topics may name any tenant."
    )
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    telemetry_port: int = Field(
        0, ge=0, le=65535, description="Health and Prometheus port of a consumer; 0 = any free one."
    )


class PostgresSettings(BaseSettings):
    """How to reach Postgres, as the service's own role."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    postgres_dsn: SecretStr = Field(description="postgresql://role:password@host:port/database")


class NotifyTargetSettings(BaseSettings):
    """Where notifications may go."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    notify_allow_private: bool = Field(
        False, description="Whether channels may lead to private addresses, and by http."
    )


class SecretSettings(BaseSettings):
    """The installation's secret, from which pseudonym keys are derived."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    secret_key: SecretStr = Field(
        min_length=MIN_SECRET, description="At least 32 characters; the same for all services."
    )


def load(settings: type[S]) -> S:
    """Read settings from the environment; a wrong one ends the process with one sentence."""
    try:
        return settings()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = PREFIX + "_".join(str(part) for part in first["loc"]).upper()
        what = "is not set" if first["type"] == "missing" else f"is wrong: {first['msg']}"
        sys.exit(f"{name} {what} (see docs/configuration.md).")
