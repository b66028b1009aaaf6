"""Create the topics of the register, with their dead letter topics."""

import asyncio
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, TopicAuthorizationFailedError, for_code

from deploy.topic_shapes import shapes
from shared.kafka_errors import refusals_explained
from shared.kafka_settings import Connection

KNOWN_WITHIN_S = 20


class TopicError(Exception):
    """A topic could not be made, or is there with another shape."""


@dataclass(frozen=True, slots=True)
class TopicResult:
    """One topic after the job."""

    name: str
    partitions: int
    created: bool


async def create_topics(connection: Connection, prefix: str, partitions: int) -> list[TopicResult]:
    """Make what is missing; a topic with another number of partitions is an error."""
    async with refusals_explained(connection):
        return await _create_topics(connection, prefix, partitions)


async def _create_topics(connection: Connection, prefix: str, partitions: int) -> list[TopicResult]:
    admin = AIOKafkaAdminClient(**connection)
    try:
        await admin.start()
        brokers = len((await admin.describe_cluster())["brokers"])
        wanted = [
            NewTopic(one.name, one.partitions, one.replicas, topic_configs=one.settings)
            for one in shapes(prefix, partitions, brokers)
        ]
        answer = await admin.create_topics(wanted)
        # create_topics does not raise: the verdict on each topic is in the answer.
        codes = {error[0]: error[1] for error in answer.topic_errors}
        for topic in wanted:
            _check(topic, codes.get(topic.name, 0))
        found = await _described(admin, [topic.name for topic in wanted])
    finally:
        await admin.close()
    return [_result(topic, codes.get(topic.name, 0), found) for topic in wanted]


async def _described(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, int]:
    """Partitions by topic, once every broker has heard of all of them."""
    async with asyncio.timeout(KNOWN_WITHIN_S):
        while True:
            answer = await admin.describe_topics(names)
            found = {one["topic"]: len(one["partitions"]) for one in answer}
            # A topic made a moment ago may be described without partitions.
            if all(found.get(name) for name in names):
                return found
            await asyncio.sleep(0.1)


def _check(topic: NewTopic, code: int) -> None:
    error = for_code(code)
    if error is TopicAuthorizationFailedError:
        raise TopicAuthorizationFailedError(topic.name)
    if code and error is not TopicAlreadyExistsError:
        raise TopicError(f"{topic.name} could not be made: {error.__name__}")


def _result(topic: NewTopic, code: int, found: dict[str, int]) -> TopicResult:
    partitions = found[topic.name]
    if partitions != topic.num_partitions:
        raise TopicError(
            f"{topic.name} has {partitions} partitions, not {topic.num_partitions}: keep "
            f"ASSAY_TOPIC_PARTITIONS={partitions}; the count of a live topic is never changed"
        )
    return TopicResult(topic.name, partitions, code == 0)
