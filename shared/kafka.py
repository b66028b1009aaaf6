"""How we speak Kafka: one broker configuration, one way to subscribe, one guard."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.security import parse_security
from faststream.kafka.subscriber.usecase import BatchSubscriber
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

from shared.delivery.ends import TIMEOUT_S, bounds
from shared.delivery.plan import Partition
from shared.kafka_settings import Connection
from shared.safe_connections import install_safe_connections
from shared.safe_records import install_safe_records
from shared.settings import SharedSettings

BATCH_TIMEOUT_MS = 50
MAX_RECORDS = 6_000
FETCH_WAIT_MS = 100
# Small portions of many partitions rather than all of one: the runner works on two at a time.
FETCH_BYTES_PER_PARTITION = 256 * 1024
GRACE_S = 10
METADATA_AGE_MS = 15_000  # a topic that is made after us is seen within this

SASL: Mapping[str, type[SASLPlaintext | SASLScram256 | SASLScram512]] = {
    "PLAIN": SASLPlaintext,
    "SCRAM-SHA-256": SASLScram256,
    "SCRAM-SHA-512": SASLScram512,
}

ApplyBatch = Callable[[Sequence[ConsumerRecord]], Awaitable[None]]


def consumer_broker(settings: SharedSettings) -> KafkaBroker:
    """A broker that only consumes: it needs no right to write and no producer that could hang."""
    install_safe_records()
    install_safe_connections()
    connection = settings.connection
    return KafkaBroker(
        connection["bootstrap_servers"],
        security=_security(connection),
        consumer_only=True,
        allow_auto_create_topics=False,
        graceful_timeout=GRACE_S,
        metadata_max_age_ms=METADATA_AGE_MS,
        apply_types=False,
        logger=None,
    )


def _security(connection: Connection) -> BaseSecurity:
    """The same in FastStream's words."""
    tls, protocol = connection.get("ssl_context"), connection.get("security_protocol", "PLAINTEXT")
    mechanism = connection.get("sasl_mechanism")
    if mechanism is None:
        found = BaseSecurity(ssl_context=tls)
    else:
        found = SASL[mechanism](
            username=connection["sasl_plain_username"],
            password=connection["sasl_plain_password"],
            ssl_context=tls,
        )
    # Without a context FastStream's classes mean plaintext, whatever their names say.
    if parse_security(found)["security_protocol"] != protocol:
        raise RuntimeError(f"FastStream would not speak {protocol}")
    return found


def subscribe_batches(
    broker: KafkaBroker,
    *topics: str,
    group: str,
    apply: ApplyBatch,
    max_records: int = MAX_RECORDS,
) -> BatchSubscriber:
    """Deliver raw batches of `topics` to `apply`, at least once and never acknowledged early."""
    subscriber = broker.subscriber(
        *topics,
        group_id=group,
        batch=True,
        max_records=max_records,
        batch_timeout_ms=BATCH_TIMEOUT_MS,
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.NACK_ON_ERROR,
        no_reply=True,  # a producer's `reply_to` header must not make us write
        parser=parse_safely,
        decoder=keep_records,
        # Other requests wait behind a fetch on the same connection: keep it short.
        fetch_max_wait_ms=FETCH_WAIT_MS,
        max_partition_fetch_bytes=FETCH_BYTES_PER_PARTITION,
        session_timeout_ms=10_000,
        rebalance_timeout_ms=30_000,
        max_poll_interval_ms=300_000,
    )

    @subscriber
    async def on_records(records: Sequence[ConsumerRecord]) -> None:
        await apply(records)

    return subscriber


async def log_answers(settings: SharedSettings, partitions: Collection[Partition]) -> bool:
    """Whether a client made for this question hears where the log of these partitions ends."""
    consumer = AIOKafkaConsumer(**settings.connection)
    try:
        async with asyncio.timeout(TIMEOUT_S):
            await consumer.start()
            await bounds(consumer, partitions)
    except Exception:
        return False
    finally:
        await consumer.stop()
    return True


def consumer_of(subscriber: BatchSubscriber) -> AIOKafkaConsumer:
    """The subscriber's live consumer."""
    if subscriber.consumer is None:
        raise RuntimeError("the subscriber has not started")
    return subscriber.consumer


async def parse_safely(records: Any, parse: Any) -> Any:
    """Never let a header decide whether a batch is seen.

    FastStream's own parser decodes headers first; a null or non-UTF-8 one raises there and the
    whole batch is skipped. It gets one bare record, the message keeps all as they came.
    """
    message = await parse((replace(records[0], headers=(), value=b""),))
    message.raw_message = tuple(records)
    return message


async def keep_records(message: Any) -> Any:
    """Hand the records over undecoded: `shared.codec` reads them, the same in every service."""
    return message.raw_message
