"""What a stream tells: whole objects, the newest of each, and when it speaks and ends.

Because a stream begins with all that holds, whoever reconnects has lost nothing; and because of
each object only the newest state waits for its reader, a slow one needs no growing queue.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, NamedTuple

from pydantic_core import from_json

from services.gateway.domain.alerts import alert_view
from services.gateway.domain.problems import Problem, wrong_field
from services.gateway.domain.results import NOTHING_YET
from shared.experiments.lifecycle import State

Row = Any  # a row of the store: members by column
Body = Mapping[str, Any]
Version = tuple[Any, ...]


class Kind(StrEnum):
    """What there is to hear of."""

    METRICS = "metrics"
    ALERTS = "alerts"
    VERDICTS = "verdicts"


PERMISSION: Final[Mapping[Kind, str]] = {
    Kind.METRICS: "metrics:read",
    Kind.ALERTS: "alerts:read",
    Kind.VERDICTS: "experiments:read",
}
EVENT: Final[Mapping[Kind, str]] = {
    Kind.METRICS: "metrics",
    Kind.ALERTS: "alert",
    Kind.VERDICTS: "verdict",
}
AWAY, GONE = "away", "gone"
UNTOLD: Final = frozenset({"as_of"})
"""Members that alone are no news."""


class Event(NamedTuple):
    """Something to tell; a later one of the same key takes its place."""

    key: tuple[str, str]
    name: str
    body: Body


class Told(NamedTuple):
    """One object as it is now."""

    kind: Kind
    id: str
    models: frozenset[str]
    body: Body
    version: Version = ()
    """By which its store tells whether it changed."""
    is_over: bool = False
    """Whether those who come later need not hear of it."""

    @property
    def event(self) -> Event:
        """As it is told; what is not there any more is only named."""
        return Event((self.kind, self.id), EVENT[self.kind] if self.body else GONE, self._said)

    @property
    def news(self) -> Body:
        """What of it makes it worth telling."""
        return {name: value for name, value in self.body.items() if name not in UNTOLD}

    @property
    def _said(self) -> Body:
        return self.body or {"kind": self.kind, "id": self.id}


class Wanted(NamedTuple):
    """What one listener hears of."""

    kinds: frozenset[Kind]
    model_id: str | None = None

    def takes(self, told: Told) -> bool:
        """Whether that is for it."""
        return told.kind in self.kinds and (self.model_id is None or self.model_id in told.models)


class StreamBounds(NamedTuple):
    """How many there may be in one process and of a tenant there, and how long one lasts (s)."""

    most: int
    most_of_tenant: int
    lasts_s: float


class Board:
    """All objects of a tenant as they were last seen."""

    def __init__(self) -> None:
        self._by_key: dict[tuple[Kind, str], Told] = {}

    def put(self, found: Iterable[Told]) -> list[Told]:
        """Keep these; answers those of which there is something new to tell."""
        changed = []
        for told in found:
            key = told.kind, told.id
            before = self._by_key.get(key)
            if told.is_over:
                self._by_key.pop(key, None)
            else:
                self._by_key[key] = told
            if before is None or before.news != told.news:
                changed.append(told)
        return changed

    def put_all(self, kind: Kind, found: Sequence[Told]) -> list[Told]:
        """The same where `found` is all there is: the others are gone."""
        there = {told.id for told in found}
        gone = [
            Told(kind, one.id, one.models, {}, is_over=True)
            for one in self.all()
            if one.kind is kind and one.id not in there
        ]
        return self.put([*found, *gone])

    def all(self) -> Collection[Told]:
        """Everything that holds."""
        return self._by_key.values()

    def versions(self, kind: Kind) -> dict[str, Version]:
        """By id, what was seen."""
        return {one.id: one.version for one in self.all() if one.kind is kind}


class Pending:
    """What waits for one reader: of each object the newest, in the order in which it changed."""

    def __init__(self) -> None:
        self._by_key: dict[tuple[str, str], Event] = {}

    def __len__(self) -> int:
        return len(self._by_key)

    def put(self, event: Event) -> None:
        """In place of an older one of the same object."""
        self._by_key.pop(event.key, None)
        self._by_key[event.key] = event

    def take(self, most: int) -> list[Event]:
        """The oldest of them, which then wait no longer."""
        keys = list(self._by_key)[:most]
        return [self._by_key.pop(key) for key in keys]


@dataclass
class Rhythm:
    """When a stream says that it lives, and when it ends; all in seconds of one clock."""

    began_at: float
    lasts_s: float
    heartbeat_s: float
    spoke_at: float = field(init=False)

    def __post_init__(self) -> None:
        self.spoke_at = self.began_at

    def is_over(self, now: float) -> bool:
        """Whether it has lasted long enough."""
        return now >= self.began_at + self.lasts_s

    def is_silent(self, now: float) -> bool:
        """Whether nothing was said for so long that its reader may think it dead."""
        return now >= self.spoke_at + self.heartbeat_s

    def wait_s(self, now: float) -> float:
        """Until one of both is so."""
        return max(0.0, min(self.began_at + self.lasts_s, self.spoke_at + self.heartbeat_s) - now)


def kinds_for(asked: str | None, permissions: Collection[str]) -> frozenset[Kind]:
    """What somebody hears of: all that is permitted, or what was asked for if all of it is."""
    if asked is None:
        return frozenset(kind for kind in Kind if PERMISSION[kind] in permissions)
    known = set(Kind)
    unknown = [name for name in asked.split(",") if name not in known]
    if unknown:
        message = f"names {unknown[0][:64]!r}; there are {', '.join(Kind)}, between commas"
        raise wrong_field("kinds", message)
    kinds = frozenset(Kind(name) for name in asked.split(","))
    for kind in sorted(kinds):
        if PERMISSION[kind] not in permissions:
            raise Problem("forbidden", f"Hearing of {kind} needs {PERMISSION[kind]}.")
    return kinds


def model_told(line: Body) -> Told:
    """A line of the list of models."""
    name = line["model_id"]
    return Told(Kind.METRICS, name, frozenset({name}), line)


def alert_told(row: Row) -> Told:
    """A stored alert; one that is resolved is told once more."""
    shown = dict(row)
    version = shown.pop("step"), shown.pop("stepped_at")
    body = alert_view(shown)
    models, is_over = frozenset({body["model_id"]}), body["state"] == "resolved"
    return Told(Kind.ALERTS, str(body["id"]), models, body, version, is_over)


def verdict_told(row: Row) -> Told:
    """A stored test and what was computed of it last, if anything was."""
    state, variants = State(row["state"]), from_json(row["variants"])
    is_computed = row["verdict"] is not None
    winner = row["winner"] if state is State.CONCLUDED else row["winner"] or row["leader"]
    body = {
        "test_id": row["test_id"],
        "key": row["key"],
        "name": row["name"],
        "state": state,
        "verdict": row["verdict"] if is_computed else "COLLECTING",
        "winner": winner,
        "recommendation": row["recommendation"] if is_computed else NOTHING_YET[state],
        "days_left": None if row["days_left"] is None else from_json(row["days_left"]),
        "as_of": row["as_of"],
    }
    models = frozenset(one["model_id"] for one in variants)
    version = row["updated_at"], row["computed_at"]
    return Told(Kind.VERDICTS, str(row["test_id"]), models, body, version)
