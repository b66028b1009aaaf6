"""The environment: all that is wrong in it, not only the first."""

import os
from collections.abc import Callable
from typing import Any

from pydantic import SecretStr, ValidationError

from deploy.doctor.facts import SettingsFacts
from deploy.known_settings import unknown
from deploy.system import port_named
from shared.env_settings import SecretFileError, secret_of
from shared.kafka_settings import KafkaSettings
from shared.settings import AuditSettings, what_is_wrong
from shared.store_urls import check_postgres, check_redis
from shared.topics import DEFAULT_PARTITIONS
from shared.trust_settings import TrustSettings

MOST_PARTITIONS = 1024


class _Audit(AuditSettings):
    secret_key: SecretStr | None = None


def probe_settings() -> SettingsFacts:
    """What cannot be read, and what nobody reads; a server that is not named is its own check's."""
    wrong = [
        *_named(KafkaSettings, "ASSAY_KAFKA_BOOTSTRAP_SERVERS is not set"),
        *_named(TrustSettings),
        *_url("ASSAY_POSTGRES_DSN", check_postgres),
        *_url("ASSAY_REDIS_URL", check_redis),
        *_partitions(os.environ.get("ASSAY_TOPIC_PARTITIONS")),
        *_said(lambda: port_named(os.environ.get("ASSAY_GATEWAY_PORT") or "0")),
    ]
    audit = _audit()
    return SettingsFacts(tuple(dict.fromkeys(wrong)), unknown(set(os.environ)), *audit[:1])


def _named(kind: Callable[[], Any], besides: str = "") -> list[str]:
    try:
        kind()
    except SecretFileError as error:
        return [str(error)]
    except ValidationError as error:
        said = what_is_wrong(error)
        return [] if said == besides else [said]
    return []


def _url(name: str, check: Callable[[str], None]) -> list[str]:
    try:
        check(secret_of(name) or "")
    except SecretFileError as error:
        return [str(error)]
    except ValueError as error:
        return [f"{name} is wrong: {error}"]
    return []


def _partitions(named: str | None) -> list[str]:
    if named is None or (named.isdecimal() and 1 <= int(named) <= MOST_PARTITIONS):
        return []
    which = f"it must be a number from 1 to {MOST_PARTITIONS}, and is not"
    return [f"ASSAY_TOPIC_PARTITIONS is wrong: {which} (the default is {DEFAULT_PARTITIONS})"]


def _audit() -> list[str]:
    try:
        settings = _Audit()
    except SecretFileError as error:
        return [str(error)]
    except ValidationError as error:
        return [what_is_wrong(error)]
    return _said(lambda: settings.audit_keys(settings.secret_key))


def _said(attempt: Callable[[], Any]) -> list[str]:
    try:
        attempt()
    except Exception as error:
        return [str(error)]
    return []
