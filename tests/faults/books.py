"""What the journal says against what the stores say. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Literal, NamedTuple

from shared.delivery.plan import Partition
from tests.faults.journal import Ack, Identity, Intent

SUMS = ("n", "ok", "tin", "tout", "cost_nano", "rt_us")
FEEDBACK_SUMS = ("f_n", "rating")
SHOWN = 5

Kind = Literal["behind", "lost", "double", "different"]

Totals = Counter[tuple[str, str, str]]
"""(tenant, model, measure) -> sum."""
Cells = dict[tuple[Partition, str, str], dict[str, int]]
"""(partition, member, series) -> measures."""


class Finding(NamedTuple):
    """Something that is wrong, how much of it there is, and where."""

    kind: Kind
    """`behind` is wrong only once nothing moves any more."""
    count: int
    text: str


def positions(
    group: str,
    partition: Partition,
    end: int,
    fence: dict[str, int],
    base: int,
    verdicts: tuple[str, ...],
) -> Iterator[Finding]:
    """A group's fence against the log's end, and its verdicts against its position."""
    position = fence.get("next_offset", fence.get("next", 0))
    if position != end:
        text = f"{group} is at {position} of {end} in {partition}"
        yield Finding("behind", abs(end - position), text)
    counted = sum(fence.get(name, 0) for name in verdicts)
    if counted != position - base:
        text = f"{group} has {counted} verdicts for {position - base} records of {partition}"
        kind: Kind = "lost" if counted < position - base else "double"
        yield Finding(kind, abs(position - base - counted), text)
    if gaps := fence.get("gaps", 0):
        yield Finding("lost", gaps, f"{group} skipped {gaps} records of {partition}")


def events(
    intents: list[Intent], acks: dict[int, Ack], rows: dict[Identity, tuple[int, str | None]]
) -> Iterator[Finding]:
    """Every valid event that was acknowledged is stored, once, and nothing else is."""
    meant = {one.identity for one in intents if one.reason is None}
    due = {one.identity for one in intents if one.reason is None and one.number in acks}
    lost, invented = due - rows.keys(), rows.keys() - meant
    twice = [identity for identity, (times, _) in rows.items() if times > 1]
    kinds: tuple[tuple[Kind, str, Iterable[Identity]], ...] = (
        ("lost", "not stored", lost),
        ("double", "never sent", invented),
        ("double", "stored twice", twice),
    )
    for kind, what, some in kinds:
        examples = sorted(map(str, some))
        if examples:
            yield Finding(kind, len(examples), f"events {what}, such as {examples[:SHOWN]}")


def dead_letters(
    intents: list[Intent], acks: dict[int, Ack], dead: dict[tuple[str, int, int], str]
) -> Iterator[Finding]:
    """Every record that is no event is one dead letter, with its reason."""
    places = {
        (one.topic, acks[one.number].partition, acks[one.number].offset): one.reason
        for one in intents
        if one.number in acks and acks[one.number].partition is not None
    }
    for place, reason in places.items():
        if dead.get(place) != reason:
            kind: Kind = "lost" if reason else "double"
            yield Finding(kind, 1, f"dead letter {place}: {dead.get(place)}, should be {reason}")
    # A record that nobody acknowledged may be there all the same, but not without a reason to be.
    possible = Counter(one.reason for one in intents if one.number not in acks)
    for place in dead.keys() - places.keys():
        possible[dead[place]] -= 1
        if possible[dead[place]] < 0:
            yield Finding("double", 1, f"dead letter {place}, {dead[place]}: nobody sent that")


def totals(
    intents: list[Intent], rows: dict[Identity, tuple[int, str | None]], minutes: Totals
) -> Iterator[Finding]:
    """What the journal says of the events that are stored, against all minutes."""
    models: dict[tuple[str, str], str] = {}
    events: dict[Identity, dict[str, Any]] = {}
    for one in intents:
        if one.identity in rows and one.identity is not None and one.reason is None:
            events[one.identity] = one.facts
            if "n" in one.facts:
                models[one.identity[0], one.facts["operation"]] = one.facts["model"]
    right: Totals = Counter()
    for (tenant, *_), facts in events.items():
        model = facts.get("model") or models.get((tenant, facts["operation"]))
        if model is not None:
            for name in (*SUMS, *FEEDBACK_SUMS):
                right[tenant, model, name] += facts.get(name, 0)
    for place in sorted(right.keys() | minutes.keys()):
        if right[place] != minutes[place]:
            text = f"minutes hold {minutes[place]} of {place}, should be {right[place]}"
            yield Finding("different", 1, text)


def cell(place: object, held: dict[str, int], live: dict[str, int]) -> Iterator[Finding]:
    """One cell of Redis against the minutes of Postgres."""
    wrong = {
        name: (live.get(name, 0), held.get(name, 0))
        for name in sorted(live.keys() | held.keys())
        if live.get(name) != held.get(name)
    }
    if wrong:
        first = dict(list(wrong.items())[:SHOWN])
        yield Finding("different", 1, f"cell {place} (live, stored): {first}")
