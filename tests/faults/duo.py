"""Ingest and metrics alone, without a bug or with one: what the auditor is tried on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.faults.auditor import Auditor
from tests.faults.journal import Journal
from tests.faults.sender import Sender
from tests.faults.traffic import Maker
from tests.faults.victims import Victim
from tests.support.system import SECRET, prepared, topics
from tests.support.waiting import eventually

SEED = 20_261_124


class Duo:
    """One system of two services on topics and a database of its own."""

    def __init__(self, made: dict[str, Any], traffic: Sender, auditor: Auditor) -> None:
        self._made = made
        self.dsn = made["dsn"]
        self.traffic = traffic
        self.auditor = auditor
        self.victims = {name: self.another(name) for name in ("ingest", "metrics")}
        self.all = list(self.victims.values())

    def another(self, service: str) -> Victim:
        """One more process of a service."""
        made = self._made
        env = made["env"] | {"ASSAY_POSTGRES_DSN": made["dsns"][service]}
        command = ("-m", "tests.faults.mutants", made["mutant"], service)
        victim = Victim(service, env, made["logs"], command)
        self.all = [*getattr(self, "all", []), victim]
        return victim

    async def ready(self) -> None:
        """Both have joined their groups."""

        async def both() -> bool:
            return [await one.waits_for() for one in self.victims.values()] == [{}, {}]

        await eventually(both, why="both are ready", deadline_s=60)

    def log(self, service: str) -> str:
        """What all processes of a service have logged."""
        return str((self._made["logs"] / f"{service}.log").read_text())

    def owner(self, point: str) -> Victim:
        """The service that passes a point."""
        return self.victims["ingest" if point.startswith("postgres") else "metrics"]


@asynccontextmanager
async def staged(
    mutant: str, kafka: str, prefix: str, dsn: str, redis_url: str, logs: Path
) -> AsyncIterator[Duo]:
    """Topics, schema, roles, traffic; services are not started yet."""
    dsns = await prepared(dsn)
    await topics(kafka, prefix)
    env = {
        "ASSAY_KAFKA_BOOTSTRAP_SERVERS": kafka,
        "ASSAY_TOPIC_PREFIX": prefix,
        "ASSAY_REDIS_URL": redis_url,
        "ASSAY_SECRET_KEY": SECRET,
        "ASSAY_INGEST_MAX_RECORDS": "100",
        "ASSAY_METRICS_MAX_RECORDS": "100",
    }
    journal = Journal(logs / "journal")
    made = {"env": env, "dsn": dsn, "dsns": dsns, "mutant": mutant, "logs": logs}
    async with Sender(kafka, journal, Maker(prefix, SEED)) as traffic:
        stage = Duo(made, traffic, Auditor(kafka, prefix, dsn, redis_url, journal))
        try:
            yield stage
        finally:
            for victim in stage.all:
                victim.wake()
                victim.kill()
