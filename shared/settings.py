"""Settings that several services read, from the environment only, once, at start."""

import hmac
import sys
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings

from shared.audit.keys import Keys, keys_of
from shared.env_settings import PREFIX, EnvSettings, SecretFileError
from shared.kafka_settings import KafkaSettings
from shared.store_urls import check_postgres, check_redis
from shared.topics import DEFAULT_PARTITIONS, DEFAULT_PREFIX
from shared.trust_settings import TrustSettings

MIN_SECRET = 32

S = TypeVar("S", bound=BaseSettings)


class SharedSettings(KafkaSettings, TrustSettings):
    """How to reach Kafka and Redis, and how to log."""

    topic_prefix: str = Field(DEFAULT_PREFIX, pattern=r"^[a-z0-9._-]{0,64}$")
    topic_partitions: Annotated[int, Field(ge=1, le=1024)] = DEFAULT_PARTITIONS
    redis_url: SecretStr = Field(
        description="redis:// or rediss://, with ssl_ca_certs=… for an authority of your own."
    )
    redis_cluster: bool = False
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    telemetry_port: int = Field(
        0, ge=0, le=65535, description="Health and Prometheus port of a consumer; 0 = any free one."
    )

    @field_validator("redis_url")
    @classmethod
    def _speaks_what_it_says(cls, given: SecretStr) -> SecretStr:
        check_redis(given.get_secret_value())
        return given


class PostgresSettings(EnvSettings):
    """How to reach Postgres, as the service's own role."""

    postgres_dsn: SecretStr = Field(
        description="postgresql://role:password@host:port/database, with "
        "?sslmode=verify-full&sslrootcert=… for TLS."
    )

    @field_validator("postgres_dsn")
    @classmethod
    def _checks_whom_it_names(cls, given: SecretStr) -> SecretStr:
        check_postgres(given.get_secret_value())
        return given


class NotifyTargetSettings(EnvSettings):
    """Where notifications may go."""

    notify_allow_private: bool = Field(
        False, description="Whether channels may lead to private addresses, and by http."
    )


class MaskSettings(EnvSettings):
    """What is hidden in texts before they are stored."""

    mask: str | None = Field(
        None,
        description="builtin (the patterns of exports), or code of your own from text to text: "
        "package.module:function or /path/file.py:function.",
    )
    mask_fails: Literal["closed", "open"] = Field(
        "closed", description="A text that cannot be masked is left away, or stored as it is."
    )
    mask_within_s: float = Field(
        1.0, gt=0, le=60, description="How long code of your own may take for a text (s)."
    )


class RetentionSettings(EnvSettings):
    """Whether anything is let go of by its age."""

    retention: Literal["on", "off"] = Field(
        "on", description="off: this service deletes nothing because of its age."
    )


class SecretSettings(EnvSettings):
    """The installation's secret, from which pseudonym keys are derived."""

    secret_key: SecretStr = Field(
        min_length=MIN_SECRET, description="At least 32 characters; the same for all services."
    )

    @property
    def secret(self) -> bytes:
        """The installation's secret."""
        return self.secret_key.get_secret_value().encode()

    def secret_for(self, purpose: bytes) -> bytes:
        """A secret of its own, so that nothing signed for one purpose holds for another."""
        return hmac.digest(self.secret, purpose, "sha256")


class AuditSettings(EnvSettings):
    """The keys that seal the audit log, and where its heads are written down."""

    audit_key: SecretStr | None = Field(
        None,
        description="Seals the audit log; several as `2:… 1:…`. Unset: made of ASSAY_SECRET_KEY.",
    )
    audit_anchor_file: Path | None = Field(
        None, description="Heads of the audit log are appended there every 5 minutes; unset: not."
    )

    @field_validator("audit_key")
    @classmethod
    def _are_keys(cls, given: SecretStr | None) -> SecretStr | None:
        if given is not None:
            keys_of(given.get_secret_value(), None)
        return given

    def audit_keys(self, installation: SecretStr | None) -> Keys:
        """The keys, or those that follow from the installation's. Raises `AuditKeyError`."""
        given = None if self.audit_key is None else self.audit_key.get_secret_value()
        return keys_of(given, None if installation is None else installation.get_secret_value())


def load(settings: type[S]) -> S:
    """Read settings from the environment; a wrong one ends the process with one sentence."""
    try:
        return settings()
    except SecretFileError as error:
        sys.exit(f"{error} (see docs/configuration.md).")
    except ValidationError as error:
        sys.exit(f"{what_is_wrong(error)} (see docs/configuration.md).")


def what_is_wrong(error: ValidationError) -> str:
    """The first wrong setting, in one sentence without its value."""
    first = error.errors(include_url=False, include_input=False)[0]
    if not first["loc"]:  # of several settings together: the message names them
        return str(first["ctx"]["error"])
    name = PREFIX + "_".join(str(part) for part in first["loc"]).upper()
    what = "is not set" if first["type"] == "missing" else f"is wrong: {first['msg']}"
    return f"{name} {what}"
