"""Settings of topics that somebody may have changed, and what each of them costs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from deploy.doctor.facts import TopicFacts
from deploy.doctor.finding import Finding, fail, listed, ok, unseen, warn
from deploy.topic_shapes import Shape

SETTINGS = "topic settings"
FOR_EVER = -1


class Rule(NamedTuple):
    """When a value is worse than the one it was made with, and what that costs."""

    is_broken: Callable[[str, str], bool]
    cost: str
    loses: bool = False
    """Whether events are lost by it, and not only less safe."""


RULES = {
    "cleanup.policy": Rule(
        lambda value, _: "compact" in value, "older events of a key are deleted", loses=True
    ),
    "max.message.bytes": Rule(
        lambda value, should: int(value) < int(should), "events may be refused", loses=True
    ),
    "retention.ms": Rule(
        lambda value, should: FOR_EVER != int(value) < int(should),
        "a consumer that is away for longer loses events",
    ),
    "min.insync.replicas": Rule(
        lambda value, should: int(value) < int(should), "one broker alone may take an event"
    ),
    "unclean.leader.election.enable": Rule(
        lambda value, _: value == "true", "a broker that lags may lead, and forget events"
    ),
    "message.timestamp.type": Rule(
        lambda value, should: value != should, "producers, not brokers, say when a record came"
    ),
}


class Departure(NamedTuple):
    """A setting that is not as it was made."""

    topic: str
    setting: str
    value: str
    should: str
    cost: str
    loses: bool

    def __str__(self) -> str:
        return f"{self.topic} has {self.setting}={self.value}: {self.cost}"


def judge_topic_settings(topics: Mapping[str, TopicFacts], wanted: Sequence[Shape]) -> Finding:
    """What loses events fails; what only weakens a promise warns."""
    shown = [
        (settings, shape)
        for shape in wanted
        if (settings := topics[shape.name].settings) is not None
    ]
    if not shown:
        why = "our principal may not see them (DescribeConfigs), or there is no topic"
        return unseen([SETTINGS], why)[0]
    found = sorted(
        (one for settings, shape in shown for one in _departures(settings, shape)),
        key=lambda one: not one.loses,
    )
    if not found:
        return ok(SETTINGS, "retention, cleanup policy and sizes as `assay topics create` makes")
    first = found[0]
    then = (
        f"put it back: `kafka-configs.sh --bootstrap-server … --alter --topic {first.topic} "
        f"--add-config {first.setting}={first.should}`"
    )
    return (fail if first.loses else warn)(SETTINGS, listed([str(one) for one in found]), then)


def _departures(settings: Mapping[str, str], shape: Shape) -> Iterator[Departure]:
    for name, should in shape.settings.items():
        value, rule = settings.get(name), RULES[name]
        if value is not None and rule.is_broken(value, should):
            yield Departure(shape.name, name, value, should, rule.cost, rule.loses)
