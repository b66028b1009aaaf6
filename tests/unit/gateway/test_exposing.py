"""Exposures: once per unit and variant, in bounds, and again when they could not be told."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest

from services.gateway.domain.assigning import evaluate
from services.gateway.domain.intake import Outgoing
from services.gateway.domain.problems import AwayError
from services.gateway.service import exposing
from services.gateway.service.exposing import Exposures
from shared.codec import parse
from shared.events.exposure import ExposureEvent
from shared.tasks import end
from shared.topics import TopicSpec
from tests.support.experiments import NOON
from tests.support.waiting import eventually
from tests.unit.gateway.given import kept


class Kafka:
    """Takes events, unless it is away."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, Outgoing]] = []
        self.batches: list[int] = []
        self.is_away = False

    async def publish(
        self,
        spec: TopicSpec,
        topic: str,
        events: Sequence[Outgoing],
        tenant_id: str,
        trace: Mapping[str, str],
    ) -> None:
        assert (spec.event, topic, trace) == (ExposureEvent, "t.exposures.v1", {})
        await asyncio.sleep(0)
        if self.is_away:
            raise AwayError("kafka")
        self.batches.append(len(events))
        self.taken += [(tenant_id, one) for one in events]

    def units(self) -> list[str]:
        return [parse(ExposureEvent, one.value).unit_id for _, one in self.taken]


@asynccontextmanager
async def at_work(kafka: Kafka) -> AsyncIterator[Exposures]:
    exposures = Exposures(kafka.publish, "t.", lambda: NOON, uuid4)
    job = asyncio.ensure_future(exposures.run())
    yield exposures
    await end([job])


def note(exposures: Exposures, unit: str, **changes: Any) -> None:
    exposures.note(evaluate(kept(**changes), unit), "assignment")


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposing, "AGAIN_AFTER_S", 0.01)


async def test_a_unit_is_told_of_once_and_under_its_own_tenant() -> None:
    kafka = Kafka()
    async with at_work(kafka) as exposures:
        for tenant_id in ("acme", "acme", "globex"):
            for unit in ("u-1", "u-2", "u-1"):
                note(exposures, unit, tenant_id=tenant_id)
        await exposures.drain(5)
    told = [(tenant, unit) for (tenant, _), unit in zip(kafka.taken, kafka.units(), strict=True)]
    assert told == [("acme", "u-1"), ("acme", "u-2"), ("globex", "u-1"), ("globex", "u-2")]
    assert {one.key.decode() for _, one in kafka.taken} == {one.event_id for _, one in kafka.taken}


async def test_what_the_broker_does_not_take_is_sent_again_the_same() -> None:
    kafka = Kafka()
    kafka.is_away = True
    async with at_work(kafka) as exposures:
        note(exposures, "u-1")
        await asyncio.sleep(0.05)
        note(exposures, "u-2")
        kafka.is_away = False
        await exposures.drain(5)
    assert kafka.units() == ["u-1", "u-2"]


async def test_many_go_out_in_batches_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposing, "MOST_AT_ONCE", 40)
    kafka = Kafka()
    async with at_work(kafka) as exposures:
        for number in range(100):
            note(exposures, f"u-{number}")
        await exposures.drain(5)
    assert kafka.units() == [f"u-{number}" for number in range(100)]
    assert max(kafka.batches) == 40


async def test_beyond_what_may_wait_a_unit_is_told_of_at_its_next_evaluation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(exposing, "MOST_WAITING", 2)
    kafka = Kafka()
    kafka.is_away = True
    async with at_work(kafka) as exposures:
        for unit in ("u-1", "u-2", "u-3"):
            note(exposures, unit)
        kafka.is_away = False
        await eventually(lambda: len(kafka.taken) == 2, why="those that wait are told of")
        note(exposures, "u-3")
        await exposures.drain(5)
    assert kafka.units() == ["u-1", "u-2", "u-3"]


async def test_memory_is_bounded_and_the_oldest_is_told_of_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(exposing, "MOST_REMEMBERED", 2)
    kafka = Kafka()
    async with at_work(kafka) as exposures:
        for unit in ("u-1", "u-2", "u-1", "u-3", "u-1", "u-2"):
            note(exposures, unit)
        await exposures.drain(5)
    assert kafka.units() == ["u-1", "u-2", "u-3", "u-2"]
