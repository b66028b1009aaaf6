"""kill -9 of metrics and notify, at random and at every named point, while models fall ill.

Afterwards the auditor finds nothing wrong with any alert: each transition is on the topic once, but
for copies that carry the same step's id, and fits the stored minutes; each channel was told of each
step once, but for copies that carry the same webhook-id; and each change of a status is in the
history once and begins where the one before it ended.
"""

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from shared.delivery.faults import ALERT_POINTS, STATUS_POINTS
from shared.events.alert import AlertEvent
from tests.faults.auditor import Auditor
from tests.faults.journal import Journal
from tests.faults.victims import Victim
from tests.support.amounts import amount
from tests.support.events import operation
from tests.support.receiver import Receiver, receiving
from tests.support.system import SECRET, prepared, publish, topics
from tests.support.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1_800)]

# In `make test` the points at which something was done and nobody knows.
ALL = (*ALERT_POINTS, *STATUS_POINTS)
POINTS = ALL if amount() else ALL[1::2]
KILLS = (len(POINTS), 20, 200)[amount()]
RULE = {"name": "errors", "metric": "error_rate", "operator": ">", "warning": 0.2}
BAD, GOOD = 40, 500
LIFE = ["pending", "firing", "resolved"]
CHANNELS = 2


class Cast:
    """Three services, one rule, two channels; and models that fall ill and recover."""

    def __init__(
        self, victims: dict[str, Victim], bootstrap: str, prefix: str, dsn: str, auditor: Auditor
    ) -> None:
        self.victims = victims
        self.auditor = auditor
        self._bootstrap, self._prefix, self._dsn = bootstrap, prefix, dsn
        self._numbers = count()

    async def send(self, model: str, events: int, *, success: bool) -> None:
        """Operations of one model."""
        made = [
            operation(next(self._numbers), model_id=model, success=success, error_type=None)
            for _ in range(events)
        ]
        topic = f"{self._prefix}operations.v1"
        records = [(topic, one["operation_id"].encode(), json.dumps(one).encode()) for one in made]
        await publish(self._bootstrap, [(*one, ()) for one in records])

    async def sql(self, statement: str, *values: Any) -> list[asyncpg.Record]:
        """Ask or tell Postgres as its superuser."""
        connection = await asyncpg.connect(self._dsn)
        try:
            return await connection.fetch(statement, *values)
        finally:
            await connection.close()

    async def told(self) -> list[AlertEvent]:
        """Everything on the topic, copies too."""
        bodies = [json.dumps(one.body) for one in await self.auditor.told()]
        return [AlertEvent.model_validate_json(body) for body in bodies]

    async def states(self, model: str) -> list[str]:
        """The life of a model's alert so far, each step once."""
        steps = {one.event_id: one for one in await self.told() if one.model_id == model}
        return [one.state for one in sorted(steps.values(), key=lambda one: one.step)]

    async def until(self, model: str, *states: str) -> None:
        """Wait for a model's alert to have lived so far."""

        async def so() -> bool:
            return await self.states(model) == list(states)

        try:
            await eventually(so, why=f"{model} is {states[-1]}", deadline_s=120, every_s=0.5)
        except AssertionError as error:
            tails = [victim.tail() for victim in self.victims.values()]
            raise AssertionError(f"{error}: {await self.states(model)}; {tails}") from error


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Who is told."""
    async with receiving() as made:
        yield made


@pytest.fixture
async def cast(
    kafka_bootstrap: str,
    topic_prefix: str,
    database_dsn: str,
    redis_url: str,
    receiver: Receiver,
    tmp_path: Path,
) -> AsyncIterator[Cast]:
    """All of them, running."""
    dsns = await prepared(database_dsn)
    await topics(kafka_bootstrap, topic_prefix)
    victims = {}
    for name in ("ingest", "metrics", "notify"):
        env = {
            "ASSAY_KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap,
            "ASSAY_TOPIC_PREFIX": topic_prefix,
            "ASSAY_REDIS_URL": redis_url,
            "ASSAY_POSTGRES_DSN": dsns[name],
            "ASSAY_SECRET_KEY": SECRET,
            "ASSAY_NOTIFY_ALLOW_PRIVATE": "true",
        }
        victims[name] = Victim(name, env, tmp_path)
        victims[name].start()
    journal = Journal(tmp_path / "journal")  # stays empty: only alerts are audited
    auditor = Auditor(kafka_bootstrap, topic_prefix, database_dsn, redis_url, journal)
    made = Cast(victims, kafka_bootstrap, topic_prefix, database_dsn, auditor)
    await made.sql(
        "INSERT INTO alert_rules (tenant_id, rule_id, body, created_by) "
        "VALUES ('acme', $1, $2, 'test')",
        *(uuid4(), json.dumps(RULE)),
    )
    for number in range(CHANNELS):
        await made.sql(
            "INSERT INTO notification_channels (tenant_id, channel_id, name, type, url, "
            "send_resolved, created_by) VALUES ('acme', $1, $2, 'webhook', $3, true, 'test')",
            *(uuid4(), f"channel {number}", f"{receiver.url}/{number}"),
        )
    yield made
    for victim in victims.values():
        victim.kill()


async def test_each_step_is_told_once_whoever_dies(cast: Cast, receiver: Receiver) -> None:
    chance = random.Random(5)
    # A service that has never claimed a partition would begin where the others are by then.
    await cast.send("first", BAD, success=False)
    await cast.until("first", *LIFE[:2])
    plan = [*POINTS, *[""] * (KILLS - len(POINTS))]
    models = ["first"]
    for turn, point in enumerate(plan):
        model = f"model-{turn}"
        await _strike(cast, point, chance, model)
        await cast.until(models[-1], *LIFE[:2])
        await cast.send(models[-1], GOOD, success=True)
        models.append(model)
    await cast.until(models[-1], *LIFE[:2])
    await cast.send(models[-1], GOOD, success=True)
    for model in models:
        await cast.until(model, *LIFE)
    await _check_topic(cast, models)
    await _check_channels(cast, receiver, models)
    await _check_statuses(cast, models)
    assert sum(victim.deaths for victim in cast.victims.values()) >= KILLS


async def _strike(cast: Cast, point: str, chance: random.Random, model: str) -> None:
    """A model falls ill, and one service dies of it: by itself at a point, or by our hand."""
    if not point:
        victim = cast.victims[chance.choice(["metrics", "notify"])]
        await cast.send(model, BAD, success=False)
        await asyncio.sleep(chance.uniform(0, 6))  # somewhere in the life of its alert
        victim.kill()
        victim.start()
        return
    victim = cast.victims["notify" if point.startswith("notify") else "metrics"]
    victim.kill()
    victim.start(f"{point}:1")
    await cast.send(model, BAD, success=False)
    await eventually(lambda: not victim.alive, why=f"{point} is reached", deadline_s=90)
    assert victim.killed_itself, victim.tail()
    victim.deaths += 1
    victim.start()


async def _check_topic(cast: Cast, models: list[str]) -> None:
    assert await cast.auditor.verdict_on_alerts() == []
    told = await cast.told()
    copies = Counter(one.event_id for one in told)
    steps = {one.event_id: one for one in told}
    found = Counter((one.model_id, one.state) for one in steps.values())
    assert found == Counter({(model, state): 1 for model in models for state in LIFE})
    again = sum(copies.values()) - len(copies)
    print(f"{len(steps)} steps of {len(models)} alerts on the topic, {again} copies")


async def _check_channels(cast: Cast, receiver: Receiver, models: list[str]) -> None:
    wanted = Counter({(model, state): 1 for model in models for state in LIFE[1:]})

    async def finished() -> bool:
        rows = await cast.sql("SELECT state, count(*) FROM notification_deliveries GROUP BY 1")
        return {row[0]: row[1] for row in rows} == {"delivered": CHANNELS * len(wanted)}

    await eventually(finished, why="all deliveries are delivered", deadline_s=60)
    for number in range(CHANNELS):
        got = receiver.at(f"/{number}")
        events = {one.headers["webhook-id"]: one.content["data"] for one in got}
        found = Counter((one["model_id"], one["state"]) for one in events.values())
        assert found == wanted
        print(f"channel {number}: {len(events)} notifications, {len(got) - len(events)} repeats")


async def _check_statuses(cast: Cast, models: list[str]) -> None:
    rows = await cast.sql(
        "SELECT model_id, part, before, status FROM model_status_changes ORDER BY at, change_id"
    )
    lives: dict[tuple[str, str], list[tuple[str | None, str]]] = {}
    for model, part, before, status in rows:
        lives.setdefault((model, part), []).append((before, status))
    assert {model for model, _ in lives} == set(models)
    for life in lives.values():
        # A few of its events may be counted before the others: too few to say anything.
        assert life[0] in {(None, "critical"), (None, "unknown")}
        assert "critical" in {status for _, status in life}
        assert [before for before, _ in life] == [None, *(status for _, status in life[:-1])]
        assert all(before != status for before, status in life)
    print(f"{len(rows)} changes of status of {len(models)} models, none twice, none missing")
