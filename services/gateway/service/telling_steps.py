"""Tells what people did to A/B tests: each step was kept with its change, and goes out from there.

One gateway at a time does it. A step is marked once the broker has it; what was sent and not
marked is sent again with the same event_id, which makes it one event to everybody who reads it.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from itertools import groupby
from typing import Any, Protocol
from uuid import UUID

import structlog

from services.gateway.domain.intake import Outgoing
from services.gateway.domain.problems import AwayError
from services.gateway.service.intake import Publish
from shared.topics import REGISTER, Topic, topic_name

LOOK_EVERY_S = 1.0
MOST_AT_ONCE = 200

Row = Any  # a row of the store: members by column

log = structlog.get_logger()


class Relay(Protocol):
    """Steps that are to be told, and how to say that some are."""

    @property
    def steps(self) -> Sequence[Row]:
        """Oldest first."""

    async def told(self, tenant_id: str, events: Sequence[UUID]) -> None:
        """The broker has these."""


class Store(Protocol):
    """Where steps are kept."""

    def relaying(self, most: int) -> AbstractAsyncContextManager[Relay]:
        """Steps to tell, unless another gateway is at it."""


class StepTeller:
    """Publishes kept steps, in their order."""

    def __init__(self, store: Store, publish: Publish, topic_prefix: str) -> None:
        self._store = store
        self._publish = publish
        self._topic = topic_name(Topic.EXPERIMENTS, topic_prefix)

    async def run(self) -> None:
        """Look every second, for ever; what is away makes it wait."""
        while True:
            try:
                await self.tell()
            except AwayError:
                pass  # told by the readiness checks
            except Exception as error:
                log.error("steps_untold", why=repr(error)[:300])
            await asyncio.sleep(LOOK_EVERY_S)

    async def tell(self) -> None:
        """Publish what is to be told."""
        spec = REGISTER[Topic.EXPERIMENTS]
        async with self._store.relaying(MOST_AT_ONCE) as relay:
            for tenant_id, part in groupby(relay.steps, key=lambda one: str(one["tenant_id"])):
                rows = list(part)
                events = [_outgoing(row) for row in rows]
                await self._publish(spec, self._topic, events, tenant_id, {})
                await relay.told(tenant_id, [row["event_id"] for row in rows])


def _outgoing(row: Row) -> Outgoing:
    key = str(row["test_id"]).encode()
    return Outgoing(str(row["event_id"]), key, row["body"].encode(), row["occurred_at"])
