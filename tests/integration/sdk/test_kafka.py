"""The client on real Kafka, and without it."""

import time

from aiokafka import AIOKafkaConsumer

from assay_sdk import Assay
from deploy.local.process import free_port
from shared.codec import parse
from shared.events.operation import OperationEvent
from tests.support.system import topics


async def test_what_it_publishes_is_what_consumers_accept(
    kafka_bootstrap: str, topic_prefix: str
) -> None:
    await topics(kafka_bootstrap, topic_prefix)
    assay = Assay.kafka(kafka_bootstrap, tenant_id="acme", topic_prefix=topic_prefix)
    for number in range(200):
        with assay.operation("m", user_id=f"u{number}") as operation:
            operation.set(input_tokens=number, metadata={"n": number})
    assert (await assay.aflush(30)) == (200, 0, 0)
    consumer = AIOKafkaConsumer(
        f"{topic_prefix}operations.v1",
        bootstrap_servers=kafka_bootstrap,
        auto_offset_reset="earliest",
    )
    async with consumer:
        records = [await consumer.getone() for _ in range(200)]
    events = [parse(OperationEvent, record.value, record.headers) for record in records]
    assert sum(event.input_tokens or 0 for event in events) == sum(range(200))
    assert {record.key.decode() for record in records} == {e.operation_id for e in events}
    assay.close()


def test_without_a_broker_the_agent_is_neither_stopped_nor_told_lies() -> None:
    assay = Assay.kafka(f"127.0.0.1:{free_port()}", tenant_id="acme")
    started = time.perf_counter()
    for _ in range(1_000):
        with assay.operation("m"):
            pass
    # Not a measure of speed: a call that waited for the broker would take ten seconds each.
    assert time.perf_counter() - started < 10
    result = assay.close(timeout_s=1)
    assert result.delivered == 0
    assert result.failed + result.pending == 1_000
