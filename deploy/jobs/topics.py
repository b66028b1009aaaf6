"""Create the topics of the register, with their dead letter topics."""

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
        found = {
            one["topic"]: len(one["partitions"])
            for one in await admin.describe_topics([topic.name for topic in wanted])
        }
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


def _result(topic: NewTopic, code: int, found: dict[str, int]) -> TopicResult:
    error = for_code(code)
    if code and error is not TopicAlreadyExistsError:
        raise TopicError(f"{topic.name} could not be made: {error.__name__}")
    partitions = found.get(topic.name, topic.num_partitions)
    if partitions != topic.num_partitions:
        raise TopicError(
            f"{topic.name} has {partitions} partitions, not {topic.num_partitions}: keep "
            f"ASSAY_TOPIC_PARTITIONS={partitions}; the count of a live topic is never changed"
        )
    return TopicResult(topic.name, partitions, code == 0)
