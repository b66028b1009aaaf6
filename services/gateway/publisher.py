"""What the gateway publishes, and the promise behind a 202: the broker has it."""

import asyncio
from collections.abc import Mapping, Sequence

import structlog
from aiokafka import AIOKafkaProducer

from services.gateway.domain.intake import Outgoing
from services.gateway.domain.problems import AwayError
from shared import clock
from shared.topics import TopicSpec

ACK_TIMEOUT_S = 10.0
START_TIMEOUT_S = 5.0
START_AGAIN_AFTER_S = 1.0

log = structlog.get_logger()


class Publisher:
    """One producer, made when first needed and made anew after any trouble."""

    def __init__(self, bootstrap_servers: str, *, idempotence: bool) -> None:
        self._servers = bootstrap_servers
        self._idempotence = idempotence
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()
        self._failed_at = -START_AGAIN_AFTER_S

    async def publish(
        self,
        spec: TopicSpec,
        topic: str,
        events: Sequence[Outgoing],
        tenant_id: str,
        trace: Mapping[str, str],
    ) -> None:
        """Return once every event is acknowledged by all in-sync replicas; else `AwayError`."""
        producer = await self.ready()
        try:
            # Without a bound an idempotent producer keeps a batch for ever.
            async with asyncio.timeout(ACK_TIMEOUT_S):
                acks = [
                    await producer.send(
                        topic,
                        event.value,
                        key=event.key,
                        headers=_headers(spec, event, tenant_id, trace),
                    )
                    for event in events
                ]
                await asyncio.gather(*acks)
        except Exception as error:
            log.warning("publish_failed", why=repr(error)[:300], events=len(events))
            await self._drop(producer)
            raise AwayError("kafka", "Kafka has not acknowledged the events in time") from error

    async def ready(self) -> AIOKafkaProducer:
        """The producer; `AwayError` while no broker answers."""
        async with self._starting:
            if self._producer is None:
                if clock.monotonic() - self._failed_at < START_AGAIN_AFTER_S:
                    raise AwayError("kafka")
                self._producer = await self._start()
            return self._producer

    async def close(self) -> None:
        """Let the producer go."""
        if self._producer is not None:
            await self._drop(self._producer)

    async def _start(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._servers,
            acks="all",
            enable_idempotence=self._idempotence,
            compression_type="lz4",
        )
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await producer.start()
        except Exception as error:
            self._failed_at = clock.monotonic()
            await _stop(producer)
            raise AwayError("kafka") from error
        return producer

    async def _drop(self, producer: AIOKafkaProducer) -> None:
        if self._producer is producer:
            self._producer = None
        await _stop(producer)


async def _stop(producer: AIOKafkaProducer) -> None:
    """Stop within bounds: aiokafka's stop may hang while the broker is away."""
    task = asyncio.ensure_future(producer.stop())
    await asyncio.wait([task], timeout=1)
    task.cancel()


def _headers(
    spec: TopicSpec, event: Outgoing, tenant_id: str, trace: Mapping[str, str]
) -> list[tuple[str, bytes]]:
    """CloudEvents 1.0 in binary mode, and the caller's trace."""
    headers = {
        "ce_specversion": "1.0",
        "ce_id": event.event_id,
        "ce_source": f"/tenants/{tenant_id}/gateway",
        "ce_type": spec.ce_type,
        "ce_time": event.occurred_at.isoformat(),
        "content-type": "application/json",
        **trace,
    }
    return [
        *((name, value.encode()) for name, value in headers.items()),
        ("ce_subject", event.key),
        ("ce_partitionkey", event.key),
    ]
