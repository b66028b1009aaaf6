"""Versions of a model: which of them is new, which was there before it, and what both are like.

Only operations of the last day are looked at. A version is new until it has been seen for that
long, and what it is compared with is what the one before it was last like.
"""

from collections.abc import Iterator

from shared.alerts.finding import PREVIOUS
from shared.alerts.grouping import Group, group_of, matches
from shared.alerts.rule import BASELINE_WINDOW, AlertRule, Filter, GroupBy
from shared.alerts.slots import VERSION_SLOT_S, Stored
from shared.measures.cells import HOUR, Cell, Series, add_into, merged

KNOWN_S = 86_400
MOST_SLOTS = HOUR // VERSION_SLOT_S + 1  # the running one is not over yet
# Somebody may call each of his calls a version.
MOST_TRACKS = 200


class Versions:
    """All versions of one model."""

    def __init__(self) -> None:
        self._tracks: dict[tuple[str, Series], _Track] = {}
        self._groups: dict[tuple[tuple[GroupBy, ...], Filter], dict[Group, list[_Version]]] = {}

    @property
    def is_empty(self) -> bool:
        """Whether no version was seen in the last day."""
        return not self._tracks

    def add(self, one: Stored) -> None:
        """Count what is new."""
        self._groups.clear()
        key = one.name, one.series
        track = self._tracks.get(key)
        if track is None:
            if len(self._tracks) >= MOST_TRACKS:
                del self._tracks[min(self._tracks, key=lambda key: self._tracks[key].last)]
            track = self._tracks[key] = _Track(one.start)
        track.add(one)

    def advance(self, now: float) -> None:
        """Let time pass (Unix seconds)."""
        moved = [track.advance(now) for track in self._tracks.values()]
        expired = [key for key, track in self._tracks.items() if track.last < now - KNOWN_S]
        for key in expired:
            del self._tracks[key]
        if expired or any(moved):
            self._groups.clear()

    def compare(self, rule: AlertRule, now: float, deaf_at: float = 0.0) -> "Compared":
        """The newest version of each group of a rule, and the one before it.

        `deaf_at`: when we last could not have known of anything new (Unix seconds).
        """
        pairs = {
            group: pair
            for group, versions in self._by_group(rule).items()
            if (pair := _pair(versions, rule, now)) is not None
        }
        return Compared(pairs, deaf_at)

    def _by_group(self, rule: AlertRule) -> dict[Group, list["_Version"]]:
        """Versions of each group; what several rules ask for is summed once."""
        asked = rule.group_by, rule.filter
        if asked not in self._groups:
            tracks: dict[Group, dict[str, list[_Track]]] = {}
            for (version, series), track in self._tracks.items():
                if matches(rule.filter, series):
                    group = group_of(rule.group_by, series)
                    tracks.setdefault(group, {}).setdefault(version, []).append(track)
            self._groups[asked] = {
                group: [_Version(name, found) for name, found in by_name.items()]
                for group, by_name in tracks.items()
            }
        return self._groups[asked]


class Compared:
    """What a rule sees of versions: only groups in which one is new."""

    gone = "No version of it is new any more, or the new one is not used."

    def __init__(self, pairs: dict[Group, "tuple[_Version, _Version]"], deaf_at: float) -> None:
        self._pairs = pairs
        self._arrivals = {group: max(new.arrived, deaf_at) for group, (new, _) in pairs.items()}
        self.oldest = min(self._arrivals.values(), default=float("inf"))

    def cells(self, window: str, rule: AlertRule) -> dict[Group, Cell]:
        """The new version's last hour, or what the one before it was last like."""
        if window == PREVIOUS[BASELINE_WINDOW]:
            return {group: before.kept for group, (_, before) in self._pairs.items()}
        return {group: new.hour for group, (new, _) in self._pairs.items()}

    def arrivals(self, rule: AlertRule) -> dict[Group, float]:
        """When something of each new version last came."""
        return self._arrivals

    def about(self, group: Group) -> str:
        """Which two are compared."""
        new, before = self._pairs[group]
        return f"Version {new.name} after {before.name}: "


class _Track:
    """One version's series: its latest slots, which need not follow each other, and their sums."""

    def __init__(self, start: int) -> None:
        self.first = self.last = start
        self.arrived = 0.0
        self.kept: Cell = {}
        self.hour: Cell = {}
        self._slots: dict[int, Cell] = {}
        self._hour_from = 0

    def add(self, one: Stored) -> None:
        """Count more of a slot; what is older than all that is kept is only known to have been."""
        self.first, self.last = min(self.first, one.start), max(self.last, one.start)
        self.arrived = max(self.arrived, one.arrived)
        add_into(self._slots.setdefault(one.start, {}), one.cell)
        add_into(self.kept, one.cell)
        if one.start >= self._hour_from:
            add_into(self.hour, one.cell)
        while len(self._slots) > MOST_SLOTS:
            self._drop(min(self._slots))

    def advance(self, now: float) -> bool:
        """Let the last hour move on; true when it did."""
        start = int(now - HOUR) // VERSION_SLOT_S * VERSION_SLOT_S
        if start <= self._hour_from:
            return False
        for slot, cell in self._slots.items():
            if self._hour_from <= slot < start:
                add_into(self.hour, cell, -1)
        self._hour_from = start
        return True

    def _drop(self, start: int) -> None:
        cell = self._slots.pop(start)
        add_into(self.kept, cell, -1)
        if start >= self._hour_from:
            add_into(self.hour, cell, -1)


class _Version:
    """One version within a group."""

    def __init__(self, name: str, tracks: list[_Track]) -> None:
        self.name = name
        self.first = min(track.first for track in tracks)
        self.arrived = max(track.arrived for track in tracks)
        self.kept = merged(track.kept for track in tracks)
        self.hour = merged(track.hour for track in tracks)


def _pair(
    versions: list[_Version], rule: AlertRule, now: float
) -> tuple[_Version, _Version] | None:
    """The newest version in use, if it is new at all, and the one that was there before it."""
    known = sorted(_known(versions, rule), key=lambda one: (one.first, one.name))
    in_use = [place for place, one in enumerate(known) if one.hour.get("n", 0) > 0]
    if not in_use or in_use[-1] == 0:
        return None
    new, before = known[in_use[-1]], known[in_use[-1] - 1]
    # What was there in the first hour that we look at may have been there for ever.
    return (new, before) if new.first >= now - KNOWN_S + HOUR else None


def _known(versions: list[_Version], rule: AlertRule) -> Iterator[_Version]:
    """Versions of which there is enough to speak of: a name that was mistyped once is none."""
    return (one for one in versions if one.kept.get("n", 0) >= rule.min_sample)
