"""Alerts as they were told against those that Postgres keeps, and the rules of their life. Pure."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any, NamedTuple

from shared.delivery.plan import Partition
from tests.faults.books import Finding, Kind

Body = Mapping[str, Any]
"""A step as the topic has it."""

ACTIVE = {"firing", "acknowledged", "resolved"}
AFTER: Mapping[str, set[str]] = {
    "": {"pending"},
    "pending": {"firing", "resolved"},
    "firing": ACTIVE,
    "acknowledged": ACTIVE,
    "resolved": set(),
}


class Told(NamedTuple):
    """A record of the topic."""

    partition: Partition
    offset: int
    body: Body


class Step(NamedTuple):
    """A step as Postgres has it."""

    tenant: str
    event_id: str
    at: datetime
    alert_id: str
    number: int
    state: str
    severity: str


class Alert(NamedTuple):
    """An alert as Postgres has it: what its last step said."""

    tenant: str
    alert_id: str
    rule_id: str
    labels: Mapping[str, str]
    state: str
    number: int


def copies(told: Iterable[Told]) -> Iterator[Finding]:
    """A step may be told again, but never otherwise."""
    first: dict[str, Body] = {}
    for one in told:
        if one.body != first.setdefault(one.body["event_id"], one.body):
            yield Finding("double", 1, f"two steps share the id {one.body['event_id']}")


def kept(
    told: Collection[Told], steps: Collection[Step], read_to: Mapping[Partition, int]
) -> Iterator[Finding]:
    """Every step that was told is kept once, and no other; `read_to` is where ingest stands."""
    bodies = _by_id(told)
    times = Counter(one.event_id for one in steps)
    for step in steps:
        if times[step.event_id] > 1:
            yield Finding("double", 1, f"{step} is stored {times[step.event_id]} times")
        if step.event_id not in bodies:
            yield Finding("double", 1, f"{step} was never told")
        elif step != step_of(bodies[step.event_id]):
            text = f"{step} is stored, {step_of(bodies[step.event_id])} was told"
            yield Finding("different", 1, text)
    for one in told:
        if one.body["event_id"] not in times:
            # The steps were read first: what was told since then is still to be read by ingest.
            kind: Kind = "lost" if one.offset < read_to.get(one.partition, 0) else "behind"
            yield Finding(kind, 1, f"{step_of(one.body)} was told and is not stored")


def latest(steps: Iterable[Step], alerts: Iterable[Alert]) -> Iterator[Finding]:
    """An alert is where its last step has led it."""
    last = {one.alert_id: one for one in sorted(steps, key=lambda one: (one.number, one.at))}
    found = {one.alert_id: (one.number, one.state) for one in alerts}
    for name in sorted(last.keys() | found.keys()):
        step = last.get(name)
        right = (step.number, step.state) if step else None
        if found.get(name) != right:
            text = f"alert {name} is {found.get(name)}, its last step says {right}"
            yield Finding("different", 1, text)


def lives(told: Collection[Told]) -> Iterator[Finding]:
    """Each alert's steps are 1, 2, 3 and so on, and each is one that may follow the one before."""
    by_alert: dict[str, list[Step]] = defaultdict(list)
    for body in _by_id(told).values():
        by_alert[body["alert_id"]].append(step_of(body))
    for name, life in sorted(by_alert.items()):
        life.sort(key=lambda one: (one.number, one.at))
        numbers, states = [one.number for one in life], [one.state for one in life]
        if numbers != list(range(1, len(numbers) + 1)):
            kind: Kind = "double" if len(set(numbers)) < len(numbers) else "lost"
            yield Finding(kind, 1, f"alert {name} has the steps {numbers}")
        elif any(after not in AFTER[before] for before, after in pairwise(["", *states])):
            yield Finding("different", 1, f"alert {name} was {', then '.join(states)}")


def one_at_a_time(told: Collection[Told]) -> Iterator[Finding]:
    """A rule's next alert about the same series begins only when the one before has ended."""
    spans: dict[object, dict[str, list[datetime | None]]] = defaultdict(dict)
    for body in _by_id(told).values():
        place = body["tenant_id"], body["rule_id"], tuple(sorted(body["labels"].items()))
        span = spans[place].setdefault(body["alert_id"], [_time(body["started_at"]), None])
        if body["state"] == "resolved":
            span[1] = _time(body["occurred_at"])
    for where, alerts in spans.items():
        for before, after in pairwise(sorted(alerts.items(), key=lambda one: str(one[1][0]))):
            (_, ended), (started, _) = before[1], after[1]
            if ended is None or (started is not None and ended > started):
                text = f"alerts {before[0]} and {after[0]} of {where} were open at once"
                yield Finding("double", 1, text)


def _by_id(told: Iterable[Told]) -> dict[str, Body]:
    return {one.body["event_id"]: one.body for one in told}


def step_of(body: Body) -> Step:
    """The part of a step that Postgres keeps row by row."""
    at = _time(body["occurred_at"])
    who = body["tenant_id"], body["event_id"], at, body["alert_id"]
    return Step(*who, body["step"], body["state"], body["severity"])


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
