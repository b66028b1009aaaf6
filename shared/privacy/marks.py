"""Which events are erased, by marks. Pure: what marks there are is given."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from shared.events.base import Event
from shared.events.exposure import ExposureEvent
from shared.events.feedback import FeedbackEvent
from shared.events.operation import OperationEvent
from shared.privacy.names import OPERATION, PEOPLE, SESSION, UNIT, USER, Names

FILTERED = (
    USER, OPERATION, SESSION, "trace_id", "model_id", "agent_id", "environment", "release",
    "operation_type", "variant",
)  # fmt: skip
"""What an erasure can name, the rarest first; several together mean what fits all of them."""


class Mark(NamedTuple):
    """What occurred from `since` to before `before` and bears all these names is erased."""

    seq: int
    tenant_id: str
    names: Mapping[str, str]
    """Digest by field."""
    since: datetime | None
    before: datetime


_Window = tuple[tuple[tuple[str, str], ...], datetime | None]
_NONE: Mapping[_Window, "Mark"] = {}


class Fit(NamedTuple):
    """A mark fits."""

    before: datetime
    with_unit: bool
    """Whether it names a person or a session and nothing else: that may be a unit of tests."""


class Marks:
    """Marks of all tenants, as far as they are known."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._single: dict[str, dict[tuple[str, str], datetime]] = {}
        self._other: dict[str, dict[tuple[str, str], dict[_Window, Mark]]] = {}
        self._fields: dict[str, set[str]] = {}
        self.last = 0
        """The highest number among them."""

    def __contains__(self, tenant_id: object) -> bool:
        return tenant_id in self._fields

    def add(self, marks: Iterable[Mark]) -> None:
        """Know more of them."""
        for mark in marks:
            self.last = max(self.last, mark.seq)
            self._fields.setdefault(mark.tenant_id, set()).update(mark.names)
            if len(mark.names) > 1 or mark.since is not None:
                # By its rarest name: who erases much makes nobody look at all of it at each event.
                rarest = min(mark.names, key=FILTERED.index)
                alike = self._other.setdefault(mark.tenant_id, {}).setdefault(
                    (rarest, mark.names[rarest]), {}
                )
                window = (tuple(sorted(mark.names.items())), mark.since)
                if window not in alike or alike[window].before < mark.before:
                    alike[window] = mark
                continue
            known = self._single.setdefault(mark.tenant_id, {})
            (name,) = mark.names.items()
            known[name] = max(known.get(name, mark.before), mark.before)

    def erase(self, event: Event) -> Fit | None:
        """The mark that fits an event, if one does."""
        if event.tenant_id not in self._fields:
            return None
        return self.fit(event.tenant_id, event.occurred_at, self.said_by(event))

    def fit(self, tenant_id: str, occurred_at: datetime, said: Mapping[str, str]) -> Fit | None:
        """The mark that fits what an event says, as `said_by` tells it."""
        found = {
            field: self._names.digest(tenant_id, field, said[field])
            for field in self._fields.get(tenant_id, ())
            if field in said
        }
        single = self._single.get(tenant_id, {})
        for name in found.items():
            before = single.get(name)
            if before is not None and occurred_at < before:
                return Fit(before, name[0] in PEOPLE)
        other = self._other.get(tenant_id, {})
        for name in found.items() if other else ():
            for mark in other.get(name, _NONE).values():
                is_late = mark.since is None or occurred_at >= mark.since
                if is_late and occurred_at < mark.before and mark.names.items() <= found.items():
                    return Fit(mark.before, mark.since is None and mark.names.keys() <= PEOPLE)
        return None

    def said_by(self, event: Event) -> dict[str, str]:
        """The names that an event bears."""
        if isinstance(event, ExposureEvent):
            said = {USER: event.unit_id, SESSION: event.unit_id}
        elif isinstance(event, OperationEvent | FeedbackEvent):
            # What of the model a feedback says counts only together with the model.
            is_bare = isinstance(event, FeedbackEvent) and event.model_id is None
            fields = (USER, OPERATION) if is_bare else FILTERED
            named = ((field, getattr(event, field, None)) for field in fields)
            said = {field: value for field, value in named if value is not None}
        else:
            return {}
        return self.known_by(event.tenant_id, said)

    def known_by(self, tenant_id: str, said: dict[str, str]) -> dict[str, str]:
        """The same with the person's pseudonym in the place of the name."""
        if USER in said:
            said[USER] = self._names.pseudonym(tenant_id, said[USER])
        return said

    def consequence(self, event: Event) -> str | None:
        """The digest under which an event is erased because another one was."""
        tenant_id = event.tenant_id
        if isinstance(event, ExposureEvent):
            unit = self._names.pseudonym(tenant_id, event.unit_id)
            return self._names.digest(tenant_id, UNIT, unit)
        if isinstance(event, OperationEvent | FeedbackEvent):
            return self._names.digest(tenant_id, OPERATION, event.operation_id)
        return None
