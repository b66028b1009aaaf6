"""What partitions hold right now, from their first record to their last."""

from collections.abc import Collection

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from shared.delivery.plan import Partition
from tests.support.system import PARTITIONS


def partitions_of(topic: str) -> list[Partition]:
    """All of a topic's."""
    return [Partition(topic, number) for number in range(PARTITIONS)]


async def whole(kafka: str, partitions: Collection[Partition]) -> list[ConsumerRecord]:
    """Every record, those of one partition in order."""
    found: list[ConsumerRecord] = []
    asked = [TopicPartition(*one) for one in partitions]
    async with AIOKafkaConsumer(bootstrap_servers=kafka) as consumer:
        ends = await consumer.end_offsets(asked)
        consumer.assign(asked)
        await consumer.seek_to_beginning()
        while any([await consumer.position(one) < end for one, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found += records
    return found
