"""The auditor finds nothing wrong with Assay, and something with every bug that we know to make."""

import inspect
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from shared import keys
from tests.faults.auditor import Auditor
from tests.faults.books import Finding
from tests.faults.journal import Journal
from tests.faults.mutants import MUTANTS
from tests.faults.sender import Sender
from tests.faults.traffic import Maker
from tests.faults.victims import Victim
from tests.support.system import PARTITIONS, SECRET, prepared, topics
from tests.support.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.integration, pytest.mark.timeout(180)]

SEED = 20_261_124
SOME = 600

# What each bug needs to show itself: a scenario, and the crash point where there is one.
SCENARIOS = {
    "acknowledged_first": ("crash", "postgres.before_begin"),
    "begun_at_the_latest": ("plain", ""),
    "default_parser": ("plain", ""),
    "swallowed_exception": ("plain", ""),
    "no_fence_in_redis": ("zombie", "redis.before_apply"),
    "position_apart_from_cells": ("crash", "redis.after_apply"),
    "position_before_rows": ("crash", "postgres.in_transaction"),
    "position_after_rows": ("crash", "postgres.in_transaction"),
    "repeats_counted": ("plain", ""),
    "reuse_unnoticed": ("plain", ""),
    "minutes_from_input": ("plain", ""),
    "never_sought": ("emptied", ""),
    "rebuilt_at_another_cut": ("emptied", ""),
    "poison_dropped": ("plain", ""),
    "tenants_mixed": ("plain", ""),
    "hours_forgotten": ("plain", ""),
    "feedback_joined_again": ("plain", ""),
}
STAND_STILL = {"default_parser"}
# Each kind of scenario, at one of its points: without a bug nothing may be found.
RIGHT = sorted({scenario: (scenario, point) for scenario, point in SCENARIOS.values()}.values())


class Stage:
    """One system of two services on topics and a database of its own."""

    def __init__(self, made: dict[str, Any], traffic: Sender, auditor: Auditor) -> None:
        self._made = made
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

    def owner(self, point: str) -> Victim:
        """The service that passes a point."""
        return self.victims["ingest" if point.startswith("postgres") else "metrics"]


@asynccontextmanager
async def staged(
    mutant: str, kafka: str, prefix: str, dsn: str, redis_url: str, logs: Path
) -> AsyncIterator[Stage]:
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
    made = {"env": env, "dsns": dsns, "mutant": mutant, "logs": logs}
    async with Sender(kafka, journal, Maker(prefix, SEED)) as traffic:
        stage = Stage(made, traffic, Auditor(kafka, prefix, dsn, redis_url, journal))
        try:
            yield stage
        finally:
            for victim in stage.all:
                victim.wake()
                victim.kill()


async def plain(stage: Stage, _: str) -> None:
    """Some before the services are there, and some after."""
    await stage.traffic.send(SOME)
    for victim in stage.victims.values():
        victim.start()
    await stage.ready()
    await stage.traffic.send(SOME)


async def crash(stage: Stage, point: str) -> None:
    """One dies at a point, and is started again."""
    victim = stage.owner(point)
    for one in stage.victims.values():
        one.start(f"{point}:3" if one is victim else None)
    await stage.ready()
    await _until(stage, lambda: not victim.alive)
    victim.start()
    await stage.ready()
    await stage.traffic.send(SOME)


async def zombie(stage: Stage, point: str) -> None:
    """One stops in the middle of a write; another takes over; the first one wakes up."""
    victim = stage.owner(point)
    for one in stage.victims.values():
        one.start(f"{point}:3:stop" if one is victim else None)
    await stage.ready()
    await _until(stage, lambda: victim.is_stopped)
    heir = stage.another(victim.name)
    heir.start()
    await stage.traffic.send(SOME)
    ends = await stage.auditor.ends()

    async def taken_over() -> bool:
        """All of it: where the heir has done nothing yet, the zombie does no harm."""
        return (await stage.auditor.positions())[victim.name == "metrics"] == ends

    await eventually(taken_over, why="the heir has everything", deadline_s=60)
    victim.wake()

    async def tried() -> bool:
        done = await victim.number("assay_batch_seconds_count")
        return done + await victim.number("assay_fenced_writes_total") > before

    before = 2  # batches before the one in which it was stopped
    await eventually(tried, why="the zombie has written or was refused", deadline_s=60)
    await stage.traffic.send(SOME)


async def emptied(stage: Stage, _: str) -> None:
    """Redis loses everything while ingest is behind metrics, under traffic."""
    await plain(stage, "")
    await eventually(lambda: _quiet(stage), why="all is consumed", deadline_s=60)
    stage.victims["ingest"].pause()
    await stage.traffic.send(SOME)
    fences = [keys.fence(*one) for one in stage.auditor.partitions]
    async with Redis.from_url(stage.auditor.redis_url) as client:

        async def ahead() -> bool:
            return await _fenced(client, fences) == await stage.auditor.sent()

        async def rebuilt() -> bool:
            return await client.exists(*fences) == 2 * PARTITIONS

        await eventually(ahead, why="metrics is ahead", deadline_s=60)
        await client.flushall()
        stage.victims["ingest"].wake()
        await _until(stage, rebuilt)


async def _fenced(client: Any, fences: list[str]) -> int:
    return sum([int(await client.hget(fence, "next") or 0) for fence in fences])


async def _quiet(stage: Stage) -> bool:
    ends = await stage.auditor.ends()
    return await stage.auditor.positions() == (ends, ends)


async def _until(stage: Stage, condition: Any) -> None:
    """Send until it is so."""

    async def so() -> bool:
        await stage.traffic.send(50)
        answer = condition()
        return bool(await answer if inspect.isawaitable(answer) else answer)

    await eventually(so, why="it comes to that", deadline_s=60)


PLAY = {"plain": plain, "crash": crash, "zombie": zombie, "emptied": emptied}


@pytest.mark.parametrize(("scenario", "point"), RIGHT)
async def test_assay_itself_passes(
    scenario: str,
    point: str,
    kafka_bootstrap: str,
    fresh_prefix: str,
    fresh_database: str,
    redis_url: str,
    tmp_path: Path,
) -> None:
    async with staged(
        "none", kafka_bootstrap, fresh_prefix, fresh_database, redis_url, tmp_path
    ) as stage:
        await PLAY[scenario](stage, point)
        assert await stage.auditor.verdict() == []
        assert all(victim.alive for victim in stage.victims.values())


@pytest.mark.parametrize("mutant", sorted(SCENARIOS))
async def test_a_bug_is_noticed(
    mutant: str,
    kafka_bootstrap: str,
    fresh_prefix: str,
    fresh_database: str,
    redis_url: str,
    tmp_path: Path,
) -> None:
    scenario, point = SCENARIOS[mutant]
    async with staged(
        mutant, kafka_bootstrap, fresh_prefix, fresh_database, redis_url, tmp_path
    ) as stage:
        await PLAY[scenario](stage, point)

        async def noticed() -> list[Finding]:
            found = await stage.auditor.verdict(12)
            # To be slow is no bug: only what stands still for good may be noticed by that.
            kinds = {one.kind for one in found}
            return found if kinds - {"behind"} or (kinds and mutant in STAND_STILL) else []

        # Some bugs show themselves only a moment after all has been consumed.
        found = await eventually(noticed, why=f"{mutant} is noticed", deadline_s=40)
        print(f"{mutant}: {found[0].text}")


def test_every_bug_has_its_scenario() -> None:
    assert SCENARIOS.keys() == MUTANTS.keys() - {"none"}
    assert len(SCENARIOS) >= 12
