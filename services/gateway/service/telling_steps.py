"""Tells what people did to A/B tests: each step was kept with its change, and goes out from there.

One gateway at a time does it. A step is marked once the broker has it; what was sent and not
marked is sent again with the same event_id, which makes it one event to everybody who reads it.
A step that no broker will ever take is marked as refused, and holds up no other.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from itertools import groupby
from typing import Any, Protocol
from uuid import UUID

import structlog

from services.gateway.domain.intake import Outgoing
from services.gateway.domain.problems import AwayError, UnsendableError
from services.gateway.service.intake import Publish
from services.gateway.service.tried import tried, why
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

    async def refused(self, tenant_id: str, event_id: UUID, why: str) -> None:
        """No broker will ever take this one."""


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
            await tried(self.tell, "steps_untold")
            await asyncio.sleep(LOOK_EVERY_S)

    async def tell(self) -> None:
        """Publish what is to be told."""
        async with self._store.relaying(MOST_AT_ONCE) as relay:
            for tenant_id, part in groupby(relay.steps, key=lambda one: str(one["tenant_id"])):
                if not await self._tell(relay, tenant_id, list(part)):
                    return  # not an error: what was told until now stays marked

    async def _tell(self, relay: Relay, tenant_id: str, rows: Sequence[Row]) -> bool:
        """Tell steps of a tenant; false while the broker is away."""
        try:
            await self._send(tenant_id, rows)
        except UnsendableError as error:
            if len(rows) > 1:  # one of them is to blame
                for row in rows:
                    if not await self._tell(relay, tenant_id, [row]):
                        return False
                return True
            event_id = rows[0]["event_id"]
            log.error("step_refused", event_id=str(event_id), why=why(error))
            await relay.refused(tenant_id, event_id, why(error))
        except AwayError:
            return False
        except Exception as error:  # nothing is known of these: the next look tries them again
            log.error("steps_untold", tenant_id=tenant_id, why=why(error))
        else:
            await relay.told(tenant_id, [row["event_id"] for row in rows])
        return True

    async def _send(self, tenant_id: str, rows: Sequence[Row]) -> None:
        events = [_outgoing(row) for row in rows]
        await self._publish(REGISTER[Topic.EXPERIMENTS], self._topic, events, tenant_id, {})


def _outgoing(row: Row) -> Outgoing:
    try:
        key, value = str(row["test_id"]).encode(), row["body"].encode()
    except (AttributeError, ValueError) as error:
        raise UnsendableError("kafka", f"the step is no text: {error!r}") from error
    return Outgoing(str(row["event_id"]), key, value, row["occurred_at"])
