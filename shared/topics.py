"""Register of topics: what flows where, and who may write it."""

from dataclasses import dataclass
from enum import StrEnum

from shared.events.alert import AlertEvent
from shared.events.base import Event
from shared.events.erasure import ErasureEvent, ErasureReceiptEvent
from shared.events.experiment import ExperimentEvent
from shared.events.exposure import ExposureEvent
from shared.events.feedback import FeedbackEvent
from shared.events.operation import OperationEvent
from shared.events.training import TrainingExampleEvent

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
    EXPOSURES = "exposures.v1"
    ALERTS = "alerts.v1"
    EXPERIMENTS = "experiments.v1"
    TRAINING_EXAMPLES = "training-examples.v1"
    ERASURES = "erasures.v1"
    ERASURE_RECEIPTS = "erasure-receipts.v1"


COUNTED = (Topic.OPERATIONS, Topic.FEEDBACK)
"""Topics whose events become numbers."""
STORED = (*COUNTED, Topic.ALERTS)
"""Topics whose events ingest keeps."""
BURIED = (*STORED, Topic.EXPOSURES)
"""Topics whose unreadable records ingest buries; what exposures say is abtest's to keep."""
COMPARED = (*COUNTED, Topic.EXPOSURES)
"""Topics whose events A/B tests are decided by."""


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
    Topic.EXPOSURES: TopicSpec(
        Topic.EXPOSURES,
        ExposureEvent,
        "event_id",
        "dev.assay.experiment.exposed.v1",
        "A unit was shown a variant. Written by the gateway and agents (SDK).",
    ),
    Topic.ALERTS: TopicSpec(
        Topic.ALERTS,
        AlertEvent,
        "alert_id",
        "dev.assay.alert.step.v1",
        "A step in the life of an alert. Written by metrics.",
    ),
    Topic.EXPERIMENTS: TopicSpec(
        Topic.EXPERIMENTS,
        ExperimentEvent,
        "test_id",
        "dev.assay.experiment.step.v1",
        "The state or the verdict of an A/B test changed. Written by the gateway, also for what "
        "was found out by itself.",
    ),
    Topic.TRAINING_EXAMPLES: TopicSpec(
        Topic.TRAINING_EXAMPLES,
        TrainingExampleEvent,
        "operation_id",
        "dev.assay.training-example.changed.v1",
        "A training row became ready, changed or was withdrawn. Written by feedback.",
    ),
    Topic.ERASURES: TopicSpec(
        Topic.ERASURES,
        ErasureEvent,
        "subject_hash",
        "dev.assay.privacy.erasure.v1",
        "Somebody is to be erased. Written by the gateway.",
    ),
    Topic.ERASURE_RECEIPTS: TopicSpec(
        Topic.ERASURE_RECEIPTS,
        ErasureReceiptEvent,
        "erasure_id",
        "dev.assay.privacy.receipt.v1",
        "A store answered an erasure. Written by the gateway, for every service.",
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
