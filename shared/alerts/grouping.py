"""Groups: what a rule is applied to, one by one, among the series of one model."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from shared.alerts.rule import AlertRule, Filter
from shared.measures.cells import Cell, Series, merged

SeriesCells = Mapping[Series, Cell]
Asked = tuple[tuple[str, ...], Filter]


class Group(NamedTuple):
    """Names and values, in the order of the rule's `labels_of_group`."""

    labels: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return ",".join(f"{name}={value}" for name, value in self.labels)


class Grouped:
    """Cells of one model by window and group; what several rules ask for is summed once."""

    gone = "Nothing is known of it any more."

    def __init__(
        self, sums: Mapping[str, SeriesCells], arrived: Mapping[Series, float] | None = None
    ) -> None:
        self._sums = sums
        self._arrived = arrived or {}
        self.oldest = min(self._arrived.values(), default=float("inf"))
        """When the series that has been quiet for longest last came."""
        self._arrivals: dict[Asked, dict[Group, float]] = {}
        self._known: dict[tuple[str, Asked], dict[Group, Cell]] = {}

    def cells(self, window: str, rule: AlertRule) -> dict[Group, Cell]:
        """What a window holds of each group of a rule."""
        asked = window, (rule.labels_of_group, rule.filter)
        found = self._known.get(asked)
        if found is None:
            found = self._known[asked] = self._summed(window, rule)
        return found

    def arrivals(self, rule: AlertRule) -> dict[Group, float]:
        """When something of each group of a rule last came."""
        asked = rule.labels_of_group, rule.filter
        found = self._arrivals.get(asked)
        if found is None:
            found = self._arrivals[asked] = {}
            for series, at in self._arrived.items():
                if matches(rule.filter, series):
                    group = group_of(rule, series)
                    found[group] = max(at, found.get(group, at))
        return found

    def about(self, group: Group) -> str:
        """What a reason begins with."""
        return ""

    def _summed(self, window: str, rule: AlertRule) -> dict[Group, Cell]:
        members: dict[Group, list[Cell]] = {}
        for series, cell in self._sums.get(window, {}).items():
            if matches(rule.filter, series):
                members.setdefault(group_of(rule, series), []).append(cell)
        return {
            group: cells[0] if len(cells) == 1 else merged(cells)
            for group, cells in members.items()
        }


def is_of(rule: AlertRule, group: Group) -> bool:
    """Whether a group is one that the rule, as it is now, could find."""
    labels = dict(group.labels)
    return tuple(labels) == rule.labels_of_group and all(
        labels.get(name, value) == value for name, value in _named(rule.filter)
    )


def group_of(rule: AlertRule, series: Series) -> Group:
    """The group that a series belongs to; a rule of one agent names it."""
    labels = tuple((name, getattr(series, name)) for name in rule.group_by)
    agent = rule.filter.agent_id
    return Group(labels if agent is None else (*labels, ("agent_id", agent)))


def matches(wanted: Filter, series: Series) -> bool:
    """Whether a series is what a filter names; agents are no part of a series."""
    return all(
        getattr(series, name) == value for name, value in _named(wanted) if name != "agent_id"
    )


def _named(wanted: Filter) -> Iterator[tuple[str, str]]:
    for name in (*Series._fields, "agent_id"):
        value = getattr(wanted, name)
        if value is not None:
            yield name, value
