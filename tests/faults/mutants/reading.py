"""Bugs on the way from Kafka to the runner."""

import asyncio
from collections.abc import Sequence
from typing import Any

from faststream import AckPolicy

import shared.kafka
from services.ingest import service as ingest_service
from shared.delivery import plan, runner
from tests.faults.mutants.register import mutant


def _kafka_keeps_the_position() -> None:
    """No seeks: whatever Kafka delivers is what comes next."""

    def trusting(next_offset: int, offsets: list[int], *, rewound: bool) -> plan.Plan:
        return plan.plan(next_offset, offsets, rewound=True)

    async def never(_: Any) -> None:
        await asyncio.Event().wait()

    runner.plan = trusting  # type: ignore[attr-defined]
    runner.Runner.watch = never  # type: ignore[method-assign]
    runner.Runner._seek = lambda *_: None  # type: ignore[method-assign]


def _subscribed_with(**changes: Any) -> None:
    broker = shared.kafka.KafkaBroker
    original = broker.subscriber

    def subscriber(self: Any, *topics: str, **options: Any) -> Any:
        return original(self, *topics, **(options | changes))

    broker.subscriber = subscriber  # type: ignore[method-assign]


@mutant
def acknowledged_first() -> None:
    """The position is kept before the work is done."""
    _kafka_keeps_the_position()
    original = runner.Runner.__call__

    async def call(self: Any, records: Sequence[Any]) -> None:
        await self._consumer().commit()
        await original(self, records)

    runner.Runner.__call__ = call  # type: ignore[method-assign]
    _subscribed_with(ack_policy=AckPolicy.MANUAL)


@mutant
def begun_at_the_latest() -> None:
    """A new group begins where the log ends."""
    _kafka_keeps_the_position()
    _subscribed_with(auto_offset_reset="latest")


@mutant
def default_parser() -> None:
    """Headers are decoded by the framework, before anybody could object."""
    _subscribed_with(parser=None)


@mutant
def never_sought() -> None:
    """After the position went back, reading goes on where it was."""
    runner.Runner._seek = lambda *_: None  # type: ignore[method-assign]


@mutant
def poison_dropped() -> None:
    """What cannot be read is nobody's business."""
    original = ingest_service.read_batch

    def read(*what: Any) -> Any:
        batch = original(*what)
        batch.dead.clear()
        return batch

    ingest_service.read_batch = read
