"""Kafka with one thing wrong at a time: its check says so, and no other check does."""

from dataclasses import replace
from typing import Any

import pytest

from deploy.doctor.facts import (
    KafkaFacts,
    TopicFacts,
    Unseen,
)
from deploy.doctor.finding import Finding, Level
from deploy.doctor.judging.kafka import judge_kafka
from deploy.topic_shapes import shapes
from tests.unit.doctor.healthy import OPERATIONS, WANTED, kafka, only, topic

WRITES = {OPERATIONS: "Write"}
F, W, U = Level.FAIL, Level.WARN, Level.UNSEEN


def of_kafka(facts: KafkaFacts | Unseen, **needs: str) -> list[Finding]:
    return judge_kafka(facts, WANTED, "operator", needs or WRITES)


@pytest.mark.parametrize(
    ("changed", "level", "name", "words"),
    [
        ({"error": "absent", "partitions": 0}, F, "topics", ("missing", "assay topics create")),
        ({"error": "LeaderNotAvailableError"}, F, "topics", ("LeaderNotAvailableError",)),
        ({"partitions": 7}, F, "topic partitions", ("has 7", "not 6")),
        ({"leaderless": 1}, F, "topic replicas", (OPERATIONS, "brokers back")),
        ({"behind": 1}, W, "topic replicas", ("lag",)),
        (
            {"allowed": frozenset({"Describe"})},
            F,
            "kafka rights",
            ("Write on", "assay topics acls"),
        ),
        ({"allowed": None}, U, "kafka rights", ()),
        ({"settings": {"cleanup.policy": "compact"}}, F, "topic settings", ("=delete`",)),
        ({"settings": {"cleanup.policy": "compact,delete"}}, F, "topic settings", ("deleted",)),
        ({"settings": {"max.message.bytes": "1000"}}, F, "topic settings", ("1064960",)),
        ({"settings": {"retention.ms": "1"}}, W, "topic settings", ("retention.ms=604800000`",)),
        ({"settings": {"message.timestamp.type": "CreateTime"}}, W, "topic settings", ()),
        ({"settings": {"unclean.leader.election.enable": "true"}}, W, "topic settings", ()),
    ],
)
def test_a_topic_that_is_not_as_it_should_be(
    changed: dict[str, Any], level: Level, name: str, words: tuple[str, ...]
) -> None:
    only(of_kafka(kafka({OPERATIONS: topic(**changed)})), level, name, *words)


@pytest.mark.parametrize("kept", ["-1", "604800000", "999999999999"])
def test_to_keep_events_for_longer_is_nothing_wrong(kept: str) -> None:
    found = of_kafka(kafka({OPERATIONS: topic(settings={"retention.ms": kept})}))
    assert {one.level for one in found} == {Level.OK}


def test_one_broker_alone_takes_an_event_where_there_are_three() -> None:
    wanted = shapes("ai.", 6, 3)
    found = judge_kafka(kafka(brokers=3), wanted, "operator", WRITES)
    only(found, W, "topic settings", "min.insync.replicas=2`")


def test_settings_that_our_principal_may_not_see_are_no_fault() -> None:
    hidden = {one.name: replace(topic(one.name), settings=None) for one in WANTED}
    only(of_kafka(kafka(hidden)), U, "topic settings")


def test_topics_that_a_program_has_nothing_to_do_with_may_be_hidden_from_it() -> None:
    hidden = {f"{OPERATIONS}.dlq": TopicFacts("forbidden")}
    assert {one.level for one in of_kafka(kafka(hidden))} == {Level.OK}
    needed = {OPERATIONS: TopicFacts("forbidden")}
    only(of_kafka(kafka(needed)), F, "kafka rights", f"Write on {OPERATIONS}")


def test_a_group_that_may_not_read_is_told() -> None:
    only(of_kafka(kafka(refused="lacks a right on group x")), F, "kafka rights", "group x")


@pytest.mark.parametrize(("fetch", "level"), [(10, W), (11, None), (17, None), (99, None)])
def test_the_age_of_a_broker(fetch: int, level: Level | None) -> None:
    found = of_kafka(kafka(fetch_version=fetch))
    if level:
        only(found, level, "kafka version", "older protocol than Kafka 2.3")
    assert all(one.level is Level.OK for one in found) == (level is None)


def test_a_broker_that_names_an_address_where_nobody_is() -> None:
    found = of_kafka(kafka(unreachable=("inside:9092",)))
    only(found, F, "kafka", "inside:9092", "advertised.listeners")
