"""Kafka: the brokers, and what each of our topics is like."""

from collections.abc import Callable, Mapping, Sequence

from deploy.doctor.facts import KafkaFacts, TopicFacts, Unseen
from deploy.doctor.finding import Finding, fail, listed, ok, unseen, warn
from deploy.doctor.judging.kafka_rights import RIGHTS, judge_rights
from deploy.doctor.judging.servers import judge_unseen
from deploy.doctor.judging.topic_settings import SETTINGS, judge_topic_settings
from deploy.topic_shapes import Shape

NAME = "kafka"
VERSION, TOPICS, PARTITIONS, REPLICAS = (
    "kafka version",
    "topics",
    "topic partitions",
    "topic replicas",
)
OTHERS = (VERSION, TOPICS, PARTITIONS, SETTINGS, REPLICAS, RIGHTS)
SETTING = "ASSAY_KAFKA_BOOTSTRAP_SERVERS"
# Of the newest Fetch that a broker speaks: a broker does not tell its version.
SPOKEN = {11: "2.3", 12: "2.7", 13: "3.1", 14: "3.5", 15: "3.5", 16: "3.7", 17: "3.9", 18: "4.1"}
OLDEST = min(SPOKEN)


def judge_kafka(
    facts: KafkaFacts | Unseen, wanted: Sequence[Shape], program: str, needs: Mapping[str, str]
) -> list[Finding]:
    """All of Kafka; `needs` are the rights on topics that this program has to have."""
    if isinstance(facts, Unseen):
        return judge_unseen(NAME, SETTING, facts, OTHERS)
    findings = [_brokers(facts), _version(facts)]
    if not facts.topics:
        return findings + unseen(OTHERS[1:], f"see {NAME}")
    return [
        *findings,
        _there(facts, wanted),
        _partitions(facts, wanted),
        judge_topic_settings(facts.topics, wanted),
        _replicas(facts),
        judge_rights(facts, program, needs),
    ]


def _brokers(facts: KafkaFacts) -> Finding:
    if facts.unreachable:
        then = "mend advertised.listeners of the brokers, or the way to what they name"
        what = f"{facts.where} answers, and names {listed(facts.unreachable)}: nobody answers there"
        return fail(NAME, what, then)
    return ok(
        NAME,
        f"{facts.brokers} {'broker' if facts.brokers == 1 else 'brokers'}, {facts.where} answers",
    )


def _version(facts: KafkaFacts) -> Finding:
    newest = facts.fetch_version
    if newest is None:
        return unseen([VERSION], "the broker does not say what it speaks")[0]
    if newest < OLDEST:
        what = f"it speaks an older protocol than Kafka {SPOKEN[OLDEST]}"
        return warn(VERSION, what, "use a newer Kafka; Assay is tested with 4.1")
    spoken = SPOKEN[min(newest, max(SPOKEN))]
    return ok(VERSION, f"it speaks the protocol of Kafka {spoken} (Fetch {newest})")


def _there(facts: KafkaFacts, wanted: Sequence[Shape]) -> Finding:
    absent = _with(facts, wanted, lambda topic: topic.error == "absent")
    if absent:
        return fail(TOPICS, f"missing: {listed(absent)}", "run `assay topics create`")
    other = [
        f"{one.name} ({facts.topics[one.name].error})"
        for one in wanted
        if facts.topics[one.name].error not in (None, "forbidden")
    ]
    if other:
        return fail(TOPICS, f"not usable: {listed(other)}", "look into the brokers' logs")
    hidden = _with(facts, wanted, lambda topic: topic.error == "forbidden")
    rest = f"; our principal may not see {listed(hidden)}" if hidden else ""
    return ok(TOPICS, f"{len(wanted) - len(hidden)} of {len(wanted)} are there{rest}")


def _partitions(facts: KafkaFacts, wanted: Sequence[Shape]) -> Finding:
    seen = {
        one.name: facts.topics[one.name].partitions
        for one in wanted
        if facts.topics[one.name].error is None
    }
    should = wanted[0].partitions
    if not seen:
        return unseen([PARTITIONS], f"see {TOPICS}")[0]
    wrong = [f"{name} has {count}" for name, count in seen.items() if count != should]
    if not wrong:
        return ok(PARTITIONS, f"{should} each")
    counts = set(seen.values())
    same = len(counts) == 1 and len(seen) == len(wanted)
    then = (
        f"keep ASSAY_TOPIC_PARTITIONS={counts.pop()}: the count of a live topic is never changed"
        if same
        else "set ASSAY_TOPIC_PARTITIONS to what topics with events have; delete and make anew "
        "those that differ and are empty (`assay topics create`)"
    )
    return fail(PARTITIONS, f"{listed(wrong)}, not {should}", then)


def _replicas(facts: KafkaFacts) -> Finding:
    leaderless = [name for name, topic in facts.topics.items() if topic.leaderless]
    if leaderless:
        then = "bring the brokers back that hold these partitions"
        return fail(REPLICAS, f"partitions without a leader: {listed(leaderless)}", then)
    behind = [name for name, topic in facts.topics.items() if topic.behind]
    if behind:
        then = "bring back the broker that is away; one more that goes may stop writing"
        return warn(REPLICAS, f"replicas lag: {listed(behind)}", then)
    return ok(REPLICAS, "all in step")


def _with(
    facts: KafkaFacts, wanted: Sequence[Shape], holds: Callable[[TopicFacts], bool]
) -> list[str]:
    return [one.name for one in wanted if holds(facts.topics[one.name])]
