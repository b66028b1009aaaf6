"""The list of rights is what programs do: a topic that is read and not listed would be silence."""

from typing import Any

import pytest

from deploy.jobs.acls import PRINCIPALS, Acl, acls
from services.abtest.consumer import subscribe as abtest
from services.feedback.consumer import subscribe as feedback
from services.ingest.consumer import subscribe as ingest
from services.metrics.consumer import subscribe as metrics
from services.notify.consumer import subscribe as notify
from shared.kafka import consumer_broker
from shared.settings import SharedSettings

RIGHTS = acls("x.")


def of(principal: str, operation: str, resource: str = "topic") -> set[str]:
    kind = (principal, operation, resource)
    return {one.name for one in RIGHTS if one[:3] == kind}


@pytest.mark.parametrize(
    ("name", "subscribe", "more"),
    [
        ("ingest", ingest, (1,)),
        ("metrics", metrics, (1,)),
        ("abtest", abtest, (1,)),
        ("feedback", feedback, (1,)),
        ("notify", notify, ()),
    ],
)
def test_each_service_may_read_what_it_consumes_and_nothing_else(
    name: str, subscribe: Any, more: Any
) -> None:
    settings = SharedSettings(kafka_bootstrap_servers="a:1", redis_url="redis://a")
    subscriber = subscribe(consumer_broker(settings), "x.", None, *more)
    assert of(name, "Read") == set(subscriber.topic_names)
    assert of(name, "Read", "group") == {subscriber.group_id}


def test_agents_may_write_events_and_read_nothing() -> None:
    assert of("agents", "Write") == {"x.operations.v1", "x.feedback.v1", "x.exposures.v1"}
    assert {one.operation for one in RIGHTS if one.principal == "agents"} == {"Write"}


def test_only_ingest_writes_dead_letters() -> None:
    writers = {one.principal for one in RIGHTS if one.name.endswith(".dlq")}
    assert writers == {"ingest"}
    assert {name.removesuffix(".dlq") for name in of("ingest", "Write")} == of("ingest", "Read")


def test_every_principal_has_a_right_and_nobody_else() -> None:
    assert {one.principal for one in RIGHTS} == set(PRINCIPALS)


def test_a_right_is_a_command() -> None:
    said = Acl("User:agents", "Write", "topic", "x.operations.v1").command()
    assert said.startswith("kafka-acls.sh --bootstrap-server $ASSAY_KAFKA_BOOTSTRAP_SERVERS ")
    assert said.endswith(
        "--allow-principal 'User:agents' --operation Write --topic 'x.operations.v1' "
        "--resource-pattern-type literal"
    )
