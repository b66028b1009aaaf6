"""Tells that units were shown variants: once per unit and variant, behind the answer's back.

An answer never waits for the broker. What is not told yet is lost if this process is killed; the
unit is then told of at its next evaluation, since what was told is remembered here only.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

import structlog

from services.gateway.domain.assigning import Evaluation
from services.gateway.domain.intake import Outgoing
from services.gateway.domain.problems import AwayError
from services.gateway.service.intake import Publish
from shared import telemetry
from shared.clock import Clock
from shared.events.exposure import ExposureEvent
from shared.topics import REGISTER, Topic, topic_name

MOST_REMEMBERED = 100_000
MOST_WAITING = 20_000
MOST_AT_ONCE = 500
AGAIN_AFTER_S = 1.0
NO_TRACE: Mapping[str, str] = {}

Shown = tuple[str, UUID, str, str]
"""Tenant, test, unit, variant."""

log = structlog.get_logger()


class _Waiting(NamedTuple):
    tenant_id: str
    event: Outgoing


class Exposures:
    """What was shown, as far as this process remembers, and what is to be told of it."""

    def __init__(
        self, publish: Publish, topic_prefix: str, now: Clock, new_id: Callable[[], UUID]
    ) -> None:
        self._publish = publish
        self._topic = topic_name(Topic.EXPOSURES, topic_prefix)
        self._now = now
        self._new_id = new_id
        self._shown: OrderedDict[Shown, None] = OrderedDict()
        self._waiting: deque[_Waiting] = deque()
        self._came = asyncio.Event()
        self._all_told = asyncio.Event()
        self._all_told.set()
        for verdict in ("told", "repeated", "dropped"):
            telemetry.EXPOSURES.labels(verdict)

    def note(self, found: Evaluation, via: str) -> None:
        """A unit that takes part was given its variant."""
        test = found.test
        shown = (test.tenant_id, test.test_id, found.unit, found.variant)
        if shown in self._shown:
            self._shown.move_to_end(shown)
            telemetry.EXPOSURES.labels("repeated").inc()
            return
        if len(self._waiting) >= MOST_WAITING:
            telemetry.EXPOSURES.labels("dropped").inc()  # told at the unit's next evaluation
            return
        self._shown[shown] = None
        if len(self._shown) > MOST_REMEMBERED:
            self._shown.popitem(last=False)
        self._waiting.append(_Waiting(test.tenant_id, self._event(found, via)))
        self._all_told.clear()
        self._came.set()

    async def run(self) -> None:
        """Tell for ever; what the broker does not take is sent again, the same bytes."""
        while True:
            await self._came.wait()
            try:
                await self._tell()
            except AwayError:
                await asyncio.sleep(AGAIN_AFTER_S)
            except Exception as error:
                log.error("exposures_untold", why=repr(error)[:300])
                await asyncio.sleep(AGAIN_AFTER_S)

    async def drain(self, within_s: float) -> None:
        """Wait until all is told, at most so long."""
        try:
            async with asyncio.timeout(within_s):
                await self._all_told.wait()
        except TimeoutError:
            telemetry.EXPOSURES.labels("dropped").inc(len(self._waiting))

    async def _tell(self) -> None:
        while self._waiting:
            batch = [self._waiting[at] for at in range(min(MOST_AT_ONCE, len(self._waiting)))]
            for tenant_id, part in groupby(batch, key=lambda one: one.tenant_id):
                events = [one.event for one in part]
                await self._send(tenant_id, events)
                for _ in events:
                    self._waiting.popleft()
        self._came.clear()
        self._all_told.set()

    async def _send(self, tenant_id: str, events: Sequence[Outgoing]) -> None:
        spec = REGISTER[Topic.EXPOSURES]
        await self._publish(spec, self._topic, events, tenant_id, NO_TRACE)
        telemetry.EXPOSURES.labels("told").inc(len(events))

    def _event(self, found: Evaluation, via: str) -> Outgoing:
        context: dict[str, Any] = {"via": via, "model_id": found.model_id}
        event = ExposureEvent(
            event_id=self._new_id(),
            tenant_id=found.test.tenant_id,
            occurred_at=self._now(),
            test_id=str(found.test.test_id),
            unit_id=found.unit,
            variant=found.variant,
            epoch=found.epoch,
            context=context,
        )
        event_id = str(event.event_id)
        return Outgoing(
            event_id, event_id.encode(), event.model_dump_json().encode(), event.occurred_at
        )
