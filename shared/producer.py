"""A producer that never holds anybody up: made when first needed, made anew after any trouble."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import InvalidMessageError, MessageSizeTooLargeError, RecordListTooLargeError

from shared import clock
from shared.kafka_errors import refusal, why_refused
from shared.kafka_settings import Connection
from shared.safe_connections import install_safe_connections

ACK_TIMEOUT_S = 10.0
START_TIMEOUT_S = 5.0
STOP_TIMEOUT_S = 1.0
START_AGAIN_AFTER_S = 1.0

# Too large for us or for the broker, or of no type that a record has: that never passes.
NEVER = (
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    InvalidMessageError,
    TypeError,
    ValueError,
)

log = structlog.get_logger()


class ProducerAwayError(Exception):
    """The broker does not answer, or has not acknowledged in time."""


class UnsendableError(ProducerAwayError):
    """One of these messages will never be taken; nothing is certain of the others."""


class Message(NamedTuple):
    """A record to be."""

    topic: str
    key: bytes
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


class Producer:
    """One connection for a whole service."""

    def __init__(
        self, connection: Connection, *, idempotence: bool, max_request_size: int = 1024 * 1024
    ) -> None:
        install_safe_connections()
        self._connection = connection
        self._idempotence = idempotence
        self._max_request_size = max_request_size
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()
        self._failed_at = -START_AGAIN_AFTER_S
        self._told: str | None = None
        self._asking: asyncio.Task[None] | None = None

    async def publish(self, messages: Sequence[Message]) -> None:
        """Return once all in-sync replicas have every message; else `ProducerAwayError`.

        `UnsendableError` is one where waiting does not help.
        """
        producer = await self.ready()
        try:
            # Without a bound an idempotent producer keeps a batch for ever.
            async with asyncio.timeout(ACK_TIMEOUT_S):
                acks = [
                    await producer.send(
                        message.topic, message.value, key=message.key, headers=message.headers
                    )
                    for message in messages
                ]
                await asyncio.gather(*acks)
        except Exception as error:
            why = refusal(error) or repr(error)
            log.warning("publish_failed", why=why[:300], messages=len(messages))
            await self._drop(producer)
            if isinstance(error, NEVER):
                raise UnsendableError(f"Kafka takes no such message: {error!r}") from error
            raise ProducerAwayError("Kafka has not acknowledged in time") from error
        except asyncio.CancelledError:
            await self._drop(producer)
            raise

    async def ready(self) -> AIOKafkaProducer:
        """The producer; `ProducerAwayError` while no broker answers."""
        async with self._starting:
            if self._producer is None:
                if clock.monotonic() - self._failed_at < START_AGAIN_AFTER_S:
                    raise ProducerAwayError("Kafka does not answer")
                self._producer = await self._start()
            return self._producer

    async def ping(self) -> None:
        """Ask the broker something; `ProducerAwayError` unless it answers."""
        producer = await self.ready()
        if not await producer.client.force_metadata_update():
            raise ProducerAwayError("Kafka does not answer")

    async def close(self) -> None:
        """Let the producer go, whatever state it is in."""
        if self._asking is not None:
            self._asking.cancel()
        if self._producer is not None:
            await self._drop(self._producer)

    async def _start(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            **self._connection,
            acks="all",
            enable_idempotence=self._idempotence,
            compression_type="lz4",
            max_request_size=self._max_request_size,
        )
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await producer.start()
        except Exception as error:
            self._failed_at = clock.monotonic()
            await _stop(producer)
            self._ask_why()
            raise ProducerAwayError("Kafka does not answer") from error
        return producer

    def _ask_why(self) -> None:
        """Behind the caller's back: it takes seconds, and whoever sends must not wait for it."""
        is_secured = self._connection.get("security_protocol", "PLAINTEXT") != "PLAINTEXT"
        if is_secured and (self._asking is None or self._asking.done()):
            self._asking = asyncio.ensure_future(self._say_why())

    async def _say_why(self) -> None:
        """Who may not come in learns it from the log; aiokafka only says that nobody answered."""
        why = await why_refused(self._connection)
        if why and why != self._told:
            log.error("kafka_refuses", why=why)
        self._told = why

    async def _drop(self, producer: AIOKafkaProducer) -> None:
        if self._producer is producer:
            self._producer = None
        await _stop(producer)


async def _stop(producer: AIOKafkaProducer) -> None:
    """Stop within bounds: aiokafka's stop may hang while the broker is away."""
    task = asyncio.ensure_future(producer.stop())
    await asyncio.wait([task], timeout=STOP_TIMEOUT_S)
    task.cancel()
