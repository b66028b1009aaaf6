"""Who needs which right in Kafka: one principal for each program, and nothing more than it does."""

from collections.abc import Iterator
from typing import NamedTuple

from shared.topics import BURIED, COMPARED, COUNTED, REGISTER, Topic, dead_letter_name, topic_name

AGENTS = (*COUNTED, Topic.EXPOSURES)
READS: dict[str, tuple[Topic, ...]] = {
    "ingest": BURIED,
    "metrics": COUNTED,
    "abtest": COMPARED,
    "feedback": (Topic.FEEDBACK,),
    "notify": (Topic.ALERTS, Topic.EXPERIMENTS),
}
WRITES: dict[str, tuple[Topic, ...]] = {
    "agents": AGENTS,
    "gateway": (*AGENTS, Topic.EXPERIMENTS, Topic.ERASURES, Topic.ERASURE_RECEIPTS),
    "metrics": (Topic.ALERTS,),
    "feedback": (Topic.TRAINING_EXAMPLES,),
    # `assay publish`, `assay dlq redrive`, `assay fences`: a person's, not a service's.
    "operator": tuple(REGISTER),
}
PRINCIPALS = ("agents", "gateway", *READS, "operator", "migrator")


class Acl(NamedTuple):
    """One right. To read or to write is to describe too, says Kafka."""

    principal: str
    operation: str
    resource: str
    """topic or group."""
    name: str
    pattern: str = "literal"

    def command(self) -> str:
        """For Kafka's own program."""
        return (
            f"kafka-acls.sh --bootstrap-server $ASSAY_KAFKA_BOOTSTRAP_SERVERS "
            f"--command-config admin.properties --add --allow-principal '{self.principal}' "
            f"--operation {self.operation} --{self.resource} '{self.name}' "
            f"--resource-pattern-type {self.pattern}"
        )


def acls(prefix: str) -> list[Acl]:
    """All of them, for topics with this prefix."""
    return [*_reading(prefix), *_writing(prefix), *_migrating(prefix)]


def _reading(prefix: str) -> Iterator[Acl]:
    for principal, topics in READS.items():
        yield Acl(principal, "Read", "group", principal)
        for topic in topics:
            yield Acl(principal, "Read", "topic", topic_name(topic, prefix))


def _writing(prefix: str) -> Iterator[Acl]:
    for principal, topics in WRITES.items():
        for topic in topics:
            yield Acl(principal, "Write", "topic", topic_name(topic, prefix))
    for topic in READS["ingest"]:
        yield Acl("ingest", "Write", "topic", dead_letter_name(topic_name(topic, prefix)))


def _migrating(prefix: str) -> Iterator[Acl]:
    for operation in ("Create", "Alter", "Describe"):
        yield Acl("migrator", operation, "topic", prefix, "prefixed")
