"""What our principal may do in Kafka, beside what its program needs."""

from collections.abc import Mapping

from deploy.doctor.facts import KafkaFacts, TopicFacts
from deploy.doctor.finding import Finding, fail, listed, ok, unseen

RIGHTS = "kafka rights"
NEXT = "give what is missing: `assay topics acls` prints the commands"


def judge_rights(facts: KafkaFacts, program: str, needs: Mapping[str, str]) -> Finding:
    """`needs` maps topics to Read or Write."""
    # Of topics that a program has nothing to do with it may see nothing.
    looked_at = needs or dict.fromkeys(facts.topics, "Describe")
    lacking = [
        f"{operation} on {name}"
        for name, operation in looked_at.items()
        if name in facts.topics and _lacks(facts.topics[name], operation)
    ]
    shown = [one for one in facts.topics.values() if one.error is None]
    silent = any(one.allowed is None for one in shown)
    if lacking:
        return fail(RIGHTS, f"as {program} no permission: {listed(lacking)}", NEXT)
    if facts.refused:
        return fail(RIGHTS, f"as {program} no permission: {facts.refused}", NEXT)
    if silent:
        return unseen([RIGHTS], "this broker does not say what we may do")[0]
    return ok(RIGHTS, f"as {program}: {_counted(looked_at)}")


def _lacks(topic: TopicFacts, operation: str) -> bool:
    if topic.error is not None:
        return topic.error == "forbidden"
    return topic.allowed is not None and operation not in topic.allowed


def _counted(needs: Mapping[str, str]) -> str:
    operations = sorted(set(needs.values()))
    return ", ".join(
        f"{one} on {sum(other == one for other in needs.values())} topics" for one in operations
    )
