"""Facts of an installation that lacks nothing; tests change one thing each."""

from dataclasses import replace
from typing import Any

from deploy.doctor.facts import (
    ClockFacts,
    KafkaFacts,
    PostgresFacts,
    RedisFacts,
    RoleFacts,
    SchemaFacts,
    TopicFacts,
)
from deploy.doctor.finding import Finding, Level
from deploy.topic_shapes import shapes

WANTED = shapes("ai.", 6, 1)
EXACT = ClockFacts(0.0, 0.001)
ROLES = ["svc_api", "svc_ingest"]
OPERATIONS = "ai.operations.v1"


def topic(name: str = OPERATIONS, **changes: Any) -> TopicFacts:
    """A topic as it was made; `settings` are added to those."""
    made = next(one.settings for one in WANTED if one.name == name)
    given = changes.pop("settings", {})
    settings = None if given is None else made | given
    allowed = frozenset({"Read", "Write", "Describe"})
    return replace(TopicFacts(None, 6, allowed=allowed, settings=settings), **changes)


def kafka(changed: dict[str, TopicFacts] | None = None, **changes: Any) -> KafkaFacts:
    """A broker with all topics."""
    topics = {one.name: topic(one.name) for one in WANTED} | (changed or {})
    return replace(KafkaFacts("broker:9092", fetch_version=18, topics=topics), **changes)


def postgres(**changes: Any) -> PostgresFacts:
    """At the newest of three migrations."""
    made = PostgresFacts(
        user="owner",
        version="Postgres 18.1",
        version_number=180001,
        schema=SchemaFacts("0003", ("0001", "0002", "0003")),
        clock=EXACT,
        roles=dict.fromkeys(ROLES, RoleFacts()),
        lacking=(),
        newest_partitions={"user_feedback": "20260101"},
        settings={"fsync": "on", "full_page_writes": "on", "max_connections": "100"},
        connections=10,
    )
    return replace(made, **changes)


def redis(**info: str) -> RedisFacts:
    """A primary with an append-only file."""
    made = {"redis_version": "7.2.4", "maxmemory_policy": "noeviction", "aof_enabled": "1"}
    return RedisFacts("cache:6379", made | info, EXACT)


def only(findings: list[Finding], level: Level, name: str, *words: str) -> None:
    """This check alone is not well; its line holds the words, and says what to do."""
    bad = [one for one in findings if one.level is not Level.OK]
    assert [(one.name, one.level) for one in bad] == [(name, level)], bad
    for word in words:
        assert word in f"{bad[0].seen} {bad[0].then}"
    assert (bad[0].then is None) == (level is Level.UNSEEN)
