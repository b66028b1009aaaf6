"""Register of topics: what flows where, and who may write it."""

from dataclasses import dataclass
from enum import StrEnum

from shared.events.alert import AlertEvent
from shared.events.base import Event
from shared.events.feedback import FeedbackEvent
from shared.events.operation import OperationEvent

DEFAULT_PREFIX = "ai."
DEFAULT_PARTITIONS = 6
RETENTION_MS = 7 * 24 * 3600 * 1000
DEAD_LETTER_RETENTION_MS = 14 * 24 * 3600 * 1000
# Larger than an event may be, so that an oversized one is seen and dead-lettered with a reason.
MAX_RECORD_BYTES = 1024 * 1024 + 16 * 1024


class Topic(StrEnum):
    """A topic's name without the installation's prefix."""

    OPERATIONS = "operations.v1"
    FEEDBACK = "feedback.v1"
    ALERTS = "alerts.v1"


COUNTED = (Topic.OPERATIONS, Topic.FEEDBACK)
"""Topics whose events become numbers."""


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """What a topic carries."""

    topic: Topic
    event: type[Event]
    key: str
    ce_type: str
    summary: str


REGISTER: dict[Topic, TopicSpec] = {
    Topic.OPERATIONS: TopicSpec(
        Topic.OPERATIONS,
        OperationEvent,
        "operation_id",
        "dev.assay.operation.completed.v1",
        "An agent called a model. Written by agents (SDK) and the gateway.",
    ),
    Topic.FEEDBACK: TopicSpec(
        Topic.FEEDBACK,
        FeedbackEvent,
        "operation_id",
        "dev.assay.feedback.submitted.v1",
        "A judgement of one operation. Written by agents (SDK) and the gateway.",
    ),
    Topic.ALERTS: TopicSpec(
        Topic.ALERTS,
        AlertEvent,
        "alert_id",
        "dev.assay.alert.step.v1",
        "A step in the life of an alert. Written by metrics.",
    ),
}


def topic_name(topic: Topic, prefix: str = DEFAULT_PREFIX) -> str:
    """The topic's full name on the broker."""
    return prefix + topic.value


def dead_letter_name(topic: str) -> str:
    """Where ingest sends what it could not read from `topic`."""
    return f"{topic}.dlq"


def spec_of(name: str, prefix: str = DEFAULT_PREFIX) -> TopicSpec:
    """Find the register's entry for a full topic name."""
    return REGISTER[Topic(name.removeprefix(prefix))]
