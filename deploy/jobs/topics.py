"""Create the topics of the register, with their dead letter topics."""

import asyncio
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from shared.topics import (
    DEAD_LETTER_RETENTION_MS,
    MAX_RECORD_BYTES,
    REGISTER,
    RETENTION_MS,
    dead_letter_name,
    topic_name,
)

MOST_REPLICAS = 3
KNOWN_WITHIN_S = 20


class TopicError(Exception):
    """A topic could not be made, or is there with another shape."""


@dataclass(frozen=True, slots=True)
class TopicResult:
    """One topic after the job."""

    name: str
    partitions: int
    created: bool


async def create_topics(bootstrap_servers: str, prefix: str, partitions: int) -> list[TopicResult]:
    """Make what is missing; a topic with another number of partitions is an error."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        brokers = len((await admin.describe_cluster())["brokers"])
        wanted = _wanted(prefix, partitions, min(MOST_REPLICAS, brokers))
        answer = await admin.create_topics(wanted)
        # create_topics does not raise: the verdict on each topic is in the answer.
        codes = {error[0]: error[1] for error in answer.topic_errors}
        for topic in wanted:
            _check(topic, codes.get(topic.name, 0))
        found = await _described(admin, [topic.name for topic in wanted])
    finally:
        await admin.close()
    return [_result(topic, codes.get(topic.name, 0), found) for topic in wanted]


def _wanted(prefix: str, partitions: int, replicas: int) -> list[NewTopic]:
    common = {
        "cleanup.policy": "delete",
        "message.timestamp.type": "LogAppendTime",
        "max.message.bytes": str(MAX_RECORD_BYTES),
        "min.insync.replicas": str(max(1, replicas - 1)),
        "unclean.leader.election.enable": "false",
    }
    wanted = []
    for topic in REGISTER:
        name = topic_name(topic, prefix)
        for each, retention_ms in (
            (name, RETENTION_MS),
            (dead_letter_name(name), DEAD_LETTER_RETENTION_MS),
        ):
            settings = common | {"retention.ms": str(retention_ms)}
            wanted.append(NewTopic(each, partitions, replicas, topic_configs=settings))
    return wanted


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
