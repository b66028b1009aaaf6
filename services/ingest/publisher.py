"""What ingest publishes: dead letters, to the topic beside the one they came from."""

import asyncio
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaProducer

from shared.topics import MAX_RECORD_BYTES, dead_letter_name

ACK_TIMEOUT_S = 10.0


class DeadLetterPublisher:
    """A producer that is made anew after any trouble: one that hangs must never hold up ingest."""

    def __init__(self, bootstrap_servers: str, *, idempotence: bool) -> None:
        self._servers = bootstrap_servers
        self._idempotence = idempotence
        self._producer: AIOKafkaProducer | None = None

    async def publish(self, letters: Sequence[Any]) -> None:
        """Return once the broker has acknowledged all of them."""
        try:
            async with asyncio.timeout(ACK_TIMEOUT_S):
                producer = await self._started()
                acks = [
                    await producer.send(
                        dead_letter_name(letter.topic),
                        letter.record_value,
                        key=f"{letter.topic}:{letter.partition}:{letter.kafka_offset}".encode(),
                        headers=_headers(letter),
                    )
                    for letter in letters
                ]
                await asyncio.gather(*acks)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Let the producer go, whatever state it is in."""
        producer, self._producer = self._producer, None
        if producer is not None:
            # aiokafka's stop may hang when the broker is away.
            task = asyncio.ensure_future(producer.stop())
            await asyncio.wait([task], timeout=2)
            task.cancel()

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                bootstrap_servers=self._servers,
                acks="all",
                enable_idempotence=self._idempotence,
                compression_type="lz4",
                max_request_size=MAX_RECORD_BYTES,
            )
            await producer.start()
            self._producer = producer
        return self._producer


def _headers(letter: Any) -> list[tuple[str, bytes]]:
    return [
        ("reason", letter.reason.encode()),
        ("detail", letter.detail.encode()),
        ("first_seen_at", letter.first_seen_at.isoformat().encode()),
    ]
