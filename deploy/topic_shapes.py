"""The topics that an installation has, and with which settings."""

from typing import NamedTuple

from shared.topics import (
    DEAD_LETTER_RETENTION_MS,
    MAX_RECORD_BYTES,
    REGISTER,
    RETENTION_MS,
    dead_letter_name,
    topic_name,
)

MOST_REPLICAS = 3


class Shape(NamedTuple):
    """A topic as it is made."""

    name: str
    partitions: int
    replicas: int
    settings: dict[str, str]


def shapes(prefix: str, partitions: int, brokers: int) -> list[Shape]:
    """All topics of the register, each with its dead letters, for so many brokers."""
    replicas = min(MOST_REPLICAS, brokers)
    common = {
        "cleanup.policy": "delete",
        "message.timestamp.type": "LogAppendTime",
        "max.message.bytes": str(MAX_RECORD_BYTES),
        "min.insync.replicas": str(max(1, replicas - 1)),
        "unclean.leader.election.enable": "false",
    }
    kept: list[tuple[str, int]] = []
    for topic in REGISTER:
        name = topic_name(topic, prefix)
        kept += [(name, RETENTION_MS), (dead_letter_name(name), DEAD_LETTER_RETENTION_MS)]
    return [
        Shape(name, partitions, replicas, common | {"retention.ms": str(retention_ms)})
        for name, retention_ms in kept
    ]
