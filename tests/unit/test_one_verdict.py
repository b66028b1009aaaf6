"""Every service takes and refuses the same records: what one counts, no other leaves out."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from pydantic import BaseModel

from services.abtest.domain.batch import read_batch as abtest
from services.feedback.domain.batch import read_batch as feedback
from services.ingest.domain.batch import read_batch as ingest
from services.metrics.domain.batch import read_batch as metrics
from services.notify.domain.planning import read_batch as notify
from shared.codec import Record, microseconds
from shared.proof import HEADER, Proofs
from shared.topics import Topic, spec_of, topic_name
from tests.support.alerts import step
from tests.support.events import encoded, operation
from tests.support.events import feedback as opinion
from tests.support.experiments import told
from tests.unit.shared.test_codec import NOW, record

PROOFS, OTHERS = Proofs({"1": b"a" * 32}), Proofs({"1": b"b" * 32})
NOW_US = microseconds(NOW)
NAMES = {topic: topic_name(topic) for topic in Topic}


def body(event: BaseModel) -> bytes:
    return event.model_dump_json().encode()


EXPOSURE = {
    **{name: operation(1)[name] for name in ("event_id", "tenant_id", "occurred_at")},
    "test_id": "0192f0c0-0000-7000-8000-000000000001",
    "unit_id": "u",
    "variant": "a",
}
VALUES = {
    Topic.OPERATIONS: encoded(operation(1)),
    Topic.FEEDBACK: encoded(opinion(1)),
    Topic.EXPOSURES: json.dumps(EXPOSURE).encode(),
    Topic.ALERTS: body(step(1, "firing")),
    Topic.EXPERIMENTS: body(told("one", "running")),
}
Reader = Callable[[list[Record], Proofs | None], tuple[int, int]]
"""Answers how many records were taken and refused."""


def of_ingest(records: list[Record], proofs: Proofs | None) -> tuple[int, int]:
    model = spec_of(records[0].topic).event
    read = ingest(model, records, {"acme"}, NOW_US, proofs)
    assert {letter.reason for letter in read.dead} <= {"tenant_mismatch"}
    assert all(letter.tenant_id is None for letter in read.dead)  # whose it is, nobody knows
    return len(read.good), len(read.dead)


def of_metrics(records: list[Record], proofs: Proofs | None) -> tuple[int, int]:
    read = metrics(spec_of(records[0].topic).event, records, {"acme"}, NOW_US, proofs)
    return len(read.events), read.invalid


def of_abtest(records: list[Record], proofs: Proofs | None) -> tuple[int, int]:
    read = abtest(spec_of(records[0].topic).event, records, NOW_US, proofs)
    return len(read.events), read.invalid


def of_feedback(records: list[Record], proofs: Proofs | None) -> tuple[int, int]:
    read = feedback(records, NOW_US, proofs)
    return len(read.events), read.invalid


def of_notify(records: list[Record], proofs: Proofs | None) -> tuple[int, int]:
    events, invalid = notify(records, NOW_US, proofs)
    return len(events), invalid


READERS: Mapping[str, tuple[Reader, tuple[Topic, ...]]] = {
    "ingest": (of_ingest, (Topic.OPERATIONS, Topic.FEEDBACK, Topic.EXPOSURES, Topic.ALERTS)),
    "metrics": (of_metrics, (Topic.OPERATIONS, Topic.FEEDBACK)),
    "abtest": (of_abtest, (Topic.OPERATIONS, Topic.FEEDBACK, Topic.EXPOSURES)),
    "feedback": (of_feedback, (Topic.FEEDBACK,)),
    "notify": (of_notify, (Topic.ALERTS, Topic.EXPERIMENTS)),
}
CASES = [
    pytest.param(reader, topic, id=f"{name} of {topic}")
    for name, (reader, topics) in READERS.items()
    for topic in topics
]


def records_of(topic: Topic) -> dict[str, Record]:
    name, value = NAMES[topic], VALUES[topic]
    elsewhere = NAMES[Topic.FEEDBACK if topic is Topic.OPERATIONS else Topic.OPERATIONS]
    headers: dict[str, Any] = {
        "proven": [PROOFS.header(name, "acme", value)],
        "unsigned": [],
        "by another key": [OTHERS.header(name, "acme", value)],
        "for another tenant": [PROOFS.header(name, "globex", value)],
        "of another value": [PROOFS.header(name, "acme", value + b" ")],
        "of another topic": [PROOFS.header(elsewhere, "acme", value)],
        "empty": [(HEADER, b"")],
    }
    return {kind: record(value, given, topic=name) for kind, given in headers.items()}


@pytest.mark.parametrize(("read", "topic"), CASES)
def test_only_the_proven_record_is_taken(read: Reader, topic: Topic) -> None:
    for kind, one in records_of(topic).items():
        assert read([one], PROOFS) == ((1, 0) if kind == "proven" else (0, 1)), kind


@pytest.mark.parametrize(("read", "topic"), CASES)
def test_while_trust_is_open_no_proof_is_looked_at(read: Reader, topic: Topic) -> None:
    for one in records_of(topic).values():
        assert read([one], None) == (1, 0)
