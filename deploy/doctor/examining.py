"""All checks at once, each server within its own deadline; one that fails stops no other."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from deploy.doctor.facts import KafkaFacts, PostgresFacts, RedisFacts, Unseen, Why
from deploy.doctor.finding import Finding, fail
from deploy.doctor.judging.host import judge_disk, judge_port
from deploy.doctor.judging.kafka import judge_kafka
from deploy.doctor.judging.postgres import judge_postgres
from deploy.doctor.judging.redis import judge_redis
from deploy.doctor.judging.settings import judge_settings
from deploy.doctor.probes.host import probe_disk, probe_port
from deploy.doctor.probes.kafka import probe_kafka
from deploy.doctor.probes.postgres import probe_postgres
from deploy.doctor.probes.redis import probe_redis
from deploy.doctor.probes.settings import probe_settings
from deploy.jobs.acls import READS, acls
from deploy.jobs.roles import ROLE_OF
from deploy.system import GATEWAY_PORT
from deploy.topic_shapes import shapes
from shared.clock import Clock, utc_now
from shared.env_settings import SecretFileError, secret_of
from shared.kafka_settings import KafkaSettings
from shared.settings import what_is_wrong
from shared.topics import DEFAULT_PARTITIONS, DEFAULT_PREFIX

WITHIN_S = 12.0

F = TypeVar("F")


@dataclass(frozen=True, slots=True)
class Patient:
    """Whom to look at: the environment says where everything else is."""

    data_dir: Path
    program: str
    """Whose rights in Kafka are looked at."""
    now: Clock = utc_now

    @property
    def prefix(self) -> str:
        return os.environ.get("ASSAY_TOPIC_PREFIX", DEFAULT_PREFIX)

    @property
    def partitions(self) -> int:
        named = os.environ.get("ASSAY_TOPIC_PARTITIONS", "")
        return int(named) if named.isdecimal() else DEFAULT_PARTITIONS


async def examine(patient: Patient) -> list[Finding]:
    """Everything; always ends within seconds, whatever is away."""
    parts = await asyncio.gather(
        _alone("settings", lambda: asyncio.to_thread(_settings)),
        _alone("kafka", lambda: _kafka(patient)),
        _alone("postgres", lambda: _postgres(patient)),
        _alone("redis", lambda: _redis(patient)),
        _alone("data folder", lambda: asyncio.to_thread(_disk, patient)),
        _alone("gateway port", lambda: _port(patient)),
    )
    return [finding for part in parts for finding in part]


async def _alone(name: str, look: Callable[[], Awaitable[list[Finding]]]) -> list[Finding]:
    try:
        return await look()
    except Exception as error:
        then = "mend what it says; if that is nothing of yours, report it as a defect of Assay"
        return [fail(name, f"could not be looked at: {type(error).__name__}: {error}", then)]


async def _seen(setting: str, probe: Callable[[str], Awaitable[F]]) -> F | Unseen:
    try:
        named = secret_of(setting)
        if not named:
            return Unseen(Why.UNSET, f"{setting} is not set")
        async with asyncio.timeout(WITHIN_S):
            return await probe(named)
    except SecretFileError as error:
        return Unseen(Why.REFUSED, str(error))
    except ValidationError as error:  # its own words would tell passwords
        return Unseen(Why.REFUSED, what_is_wrong(error))
    except TimeoutError:
        return Unseen(Why.AWAY, f"{setting}: no answer within {WITHIN_S:.0f} s")


def _settings() -> list[Finding]:
    return judge_settings(probe_settings())


async def _kafka(patient: Patient) -> list[Finding]:
    rights = [
        one
        for one in acls(patient.prefix)
        if (one.principal, one.resource, one.pattern) == (patient.program, "topic", "literal")
    ]
    needs = {one.name: one.operation for one in rights}
    reads = [one.name for one in rights if one.operation == "Read"]
    names = [one.name for one in shapes(patient.prefix, patient.partitions, 1)]
    group = patient.program if patient.program in READS else ""

    async def probe(_: str) -> KafkaFacts | Unseen:
        connection = KafkaSettings().connection
        return await probe_kafka(connection, names, reads, group)

    setting = "ASSAY_KAFKA_BOOTSTRAP_SERVERS"
    facts = await _seen(setting, probe)
    brokers = facts.brokers if isinstance(facts, KafkaFacts) else 1
    wanted = shapes(patient.prefix, patient.partitions, brokers)
    return judge_kafka(facts, wanted, patient.program, needs)


async def _postgres(patient: Patient) -> list[Finding]:
    roles = list(ROLE_OF.values())

    async def probe(dsn: str) -> PostgresFacts | Unseen:
        return await probe_postgres(dsn, roles, patient.now)

    setting = "ASSAY_POSTGRES_DSN"
    return judge_postgres(await _seen(setting, probe), roles)


async def _redis(patient: Patient) -> list[Finding]:
    cluster = os.environ.get("ASSAY_REDIS_CLUSTER", "").lower() == "true"

    async def probe(url: str) -> list[RedisFacts] | Unseen:
        return await probe_redis(url, patient.prefix, patient.now, cluster=cluster)

    setting = "ASSAY_REDIS_URL"
    return judge_redis(await _seen(setting, probe))


def _disk(patient: Patient) -> list[Finding]:
    return [judge_disk("data folder", probe_disk(patient.data_dir))]


async def _port(patient: Patient) -> list[Finding]:
    host = os.environ.get("ASSAY_GATEWAY_HOST", "127.0.0.1")
    named = os.environ.get("ASSAY_GATEWAY_PORT", "")
    port = int(named) if named.isdecimal() else 0
    url = os.environ.get("ASSAY_GATEWAY_URL")
    return [judge_port(await probe_port(host, port or GATEWAY_PORT, url))]
