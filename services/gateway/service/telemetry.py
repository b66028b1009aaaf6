"""Takes OpenTelemetry's requests in: judged off the event loop, then sent as all events are."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Literal

from services.gateway.domain.otlp.content import Keep
from services.gateway.domain.otlp.decoding import Encoding, logs_of, spans_of
from services.gateway.domain.otlp.judging import Judge, Judged
from services.gateway.service.intake import Intake
from shared.clock import Clock
from shared.topics import Topic
from shared.training.redaction import redact

SMALL_BODY = 16 * 1024  # judged in a few milliseconds: a thread would cost more than it spares
PORTION = 500
Content = Literal["drop", "redact", "keep"]
KEEPS: Mapping[Content, Keep | None] = {
    "drop": None,
    "redact": lambda text: redact(text)[0],
    "keep": lambda text: text,
}


class Telemetry:
    """What POST does with traces and logs."""

    def __init__(self, intake: Intake, content: Content, now: Clock) -> None:
        self._intake = intake
        self._keep = KEEPS[content]
        self._now = now
        # One large body at a time: more would share one core, and hold their memory for longer.
        self._one_at_a_time = asyncio.Lock()

    async def traces(
        self, body: bytes, encoding: Encoding, tenant_id: str, trace: Mapping[str, str]
    ) -> Judged:
        """Take spans in; returns once the broker has all that came of them."""
        judge = Judge(tenant_id, self._now(), self._keep)
        judged = await self._apart(body, lambda: judge.spans(spans_of(body, encoding)))
        return await self._sent(judged, tenant_id, trace)

    async def logs(
        self, body: bytes, encoding: Encoding, tenant_id: str, trace: Mapping[str, str]
    ) -> Judged:
        """Take log records in; returns once the broker has all that came of them."""
        judge = Judge(tenant_id, self._now(), self._keep)
        judged = await self._apart(body, lambda: judge.logs(logs_of(body, encoding)))
        return await self._sent(judged, tenant_id, trace)

    async def _apart(self, body: bytes, judge: Callable[[], Judged]) -> Judged:
        if len(body) <= SMALL_BODY:
            return judge()
        async with self._one_at_a_time:
            return await asyncio.to_thread(judge)

    async def _sent(self, judged: Judged, tenant_id: str, trace: Mapping[str, str]) -> Judged:
        """Portions bound what waits for one acknowledgement; a repeat of the whole is harmless."""
        for kind, events in (
            (Topic.OPERATIONS, judged.operations),
            (Topic.FEEDBACK, judged.feedback),
        ):
            for start in range(0, len(events), PORTION):
                portion = events[start : start + PORTION]
                await self._intake.send(kind, portion, tenant_id, trace)
        return judged
