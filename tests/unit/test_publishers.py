"""What services publish proves its tenant, on each topic; and no right is missing."""

import asyncio
import json
import re
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from deploy.jobs.acls import WRITES, acls
from services.feedback.publisher import ChangePublisher
from services.gateway.domain.intake import Outgoing
from services.gateway.publisher import Publisher
from services.metrics.publisher import AlertPublisher
from shared.codec import decode, microseconds
from shared.errors import InvalidRecordError, Reason
from shared.producer import Message
from shared.proof import Proofs
from shared.topics import REGISTER, Topic, topic_name
from tests.support.alerts import step
from tests.support.events import encoded, operation
from tests.support.events import feedback as opinion
from tests.support.experiments import told
from tests.unit.shared.test_codec import NOW, record

PROOFS, OTHERS = Proofs({"1": b"a" * 32}), Proofs({"1": b"b" * 32})
SERVICES = Path(__file__).parents[2] / "services"
TENANT, AT, SOME_ID = "acme", operation(1)["occurred_at"], str(uuid4())
COMMON = {"event_id": str(uuid4()), "tenant_id": TENANT, "occurred_at": AT}


def _json(**fields: Any) -> bytes:
    return json.dumps(COMMON | fields).encode()


VALUES: dict[Topic, bytes] = {
    Topic.OPERATIONS: encoded(operation(1)),
    Topic.FEEDBACK: encoded(opinion(1)),
    Topic.EXPOSURES: _json(test_id=SOME_ID, unit_id="u", variant="a"),
    Topic.ALERTS: step(1, "firing").model_dump_json().encode(),
    Topic.EXPERIMENTS: told("one", "running").model_dump_json().encode(),
    Topic.TRAINING_EXAMPLES: _json(
        row_id=SOME_ID,
        operation_id="op-1",
        kind="answer",
        state="ready",
        model_id="m",
        quality=1,
        weight=1,
        split="train",
        formula_version="1",
        has_text=False,
    ),
    Topic.ERASURES: _json(
        erasure_id=SOME_ID,
        mode="erase",
        kind="user",
        subject_hash="a hash",
        erased_before=AT,
        deadline=AT,
    ),
    Topic.ERASURE_RECEIPTS: _json(erasure_id=SOME_ID, service="ingest", store="postgres"),
}


class Kept:
    """Keeps messages instead of sending them."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def publish(self, messages: Sequence[Message]) -> None:
        self.messages += messages


async def _by_gateway(kept: Any, topic: Topic, value: bytes) -> None:
    said = json.loads(value)
    event = Outgoing(said["event_id"], b"key", value, datetime.fromisoformat(AT))
    await Publisher(kept, PROOFS).publish(
        REGISTER[topic], topic_name(topic), [event], said["tenant_id"], {}
    )


async def _by_metrics(kept: Any, topic: Topic, value: bytes) -> None:
    await AlertPublisher(kept, topic_name(topic), PROOFS).publish([value])


async def _by_feedback(kept: Any, _: Topic, value: bytes) -> None:
    change = json.loads(value) | {"body": value.decode()}
    change["occurred_at"] = datetime.fromisoformat(change["occurred_at"])
    await ChangePublisher(kept, "ai.", PROOFS).publish([change])


PUBLISHERS: dict[str, Callable[[Any, Topic, bytes], Coroutine[Any, Any, None]]] = {
    "gateway": _by_gateway,
    "metrics": _by_metrics,
    "feedback": _by_feedback,
}
BY_PROGRAMS = [
    pytest.param(PUBLISHERS[who], topic, id=f"{who}: {topic}")
    for who, topics in WRITES.items()
    for topic in topics
    if who in PUBLISHERS
]


@pytest.mark.parametrize(("publish", "topic"), BY_PROGRAMS)
def test_what_is_published_is_proven_by_our_key_and_by_no_other(
    publish: Callable[[Any, Topic, bytes], Coroutine[Any, Any, None]], topic: Topic
) -> None:
    kept, model = Kept(), REGISTER[topic].event
    asyncio.run(publish(kept, topic, VALUES[topic]))
    (sent,) = kept.messages
    assert sent.topic == topic_name(topic)
    one = record(sent.value, sent.headers, topic=sent.topic)
    decode(model, one, microseconds(NOW), PROOFS)
    elsewhere = record(sent.value, sent.headers, topic=f"other.{sent.topic}")
    for bad, proofs in ((one, OTHERS), (elsewhere, PROOFS)):
        with pytest.raises(InvalidRecordError) as caught:
            decode(model, bad, microseconds(NOW), proofs)
        assert caught.value.reason is Reason.TENANT_MISMATCH


@pytest.mark.parametrize("topic", REGISTER)
def test_each_topic_has_writers_and_its_summary_names_them(topic: Topic) -> None:
    writers = {who for who, topics in WRITES.items() if topic in topics} - {"operator"}
    said = REGISTER[topic].summary.partition("Written by ")[2]
    named = set(re.findall(r"agents|gateway|ingest|metrics|abtest|notify|feedback", said))
    assert writers == named != set()


def test_who_makes_a_producer_may_write_and_nobody_else_among_services() -> None:
    made = {
        path.relative_to(SERVICES).parts[0]
        for path in SERVICES.rglob("*.py")
        if re.search(r"\bProducer\(", path.read_text())
    }
    writers = {one.principal for one in acls("ai.") if one.operation == "Write"}
    assert made == writers - {"agents", "operator"}
