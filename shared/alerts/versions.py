"""Versions of a model: which of them is new, which was there before it, and what both are like.

Only operations of the last day are looked at. A version is new until it has been seen for that
long; it is compared with what the version that it replaced was last like.
"""

from bisect import insort

from shared.alerts.finding import PREVIOUS
from shared.alerts.grouping import Group, group_of, matches
from shared.alerts.rule import BASELINE_WINDOW, AlertRule, Filter
from shared.alerts.slots import VERSION_SLOT_S, Stored
from shared.measures.cells import HOUR, Cell, Series, add_into, merged

KNOWN_S = 86_400
MOST_SLOTS = HOUR // VERSION_SLOT_S + 1  # the running one is not over yet
# Somebody may call each of his calls a version.
MOST_VERSIONS = 50


class Versions:
    """All versions of one model."""

    def __init__(self) -> None:
        self._tracks: dict[str, dict[Series, _Track]] = {}
        self._groups: dict[tuple[tuple[str, ...], Filter], dict[Group, list[_Version]]] = {}

    @property
    def is_empty(self) -> bool:
        """Whether no version was seen in the last day."""
        return not self._tracks

    def add(self, one: Stored) -> None:
        """Count what is new."""
        self._groups.clear()
        if one.name not in self._tracks and len(self._tracks) >= MOST_VERSIONS:
            del self._tracks[min(self._tracks, key=self._weight)]
        tracks = self._tracks.setdefault(one.name, {})
        track = tracks.get(one.series)
        if track is None:
            track = tracks[one.series] = _Track(one.start)
        track.add(one)

    def advance(self, now: float) -> None:
        """Let time pass (Unix seconds)."""
        for name, tracks in list(self._tracks.items()):
            for series in [one for one, track in tracks.items() if track.last < now - KNOWN_S]:
                del tracks[series]
                self._groups.clear()
            if not tracks:
                del self._tracks[name]

    def compare(self, rule: AlertRule, now: float, deaf_at: float = 0.0) -> "Compared":
        """The newest version of each group of a rule, and the one before it.

        `deaf_at`: when we last could not have known of anything new (Unix seconds).
        """
        pairs, arrivals = {}, {}
        for group, versions in self._by_group(rule).items():
            pair = _pair(versions, rule, now)
            if pair is not None:
                pairs[group] = pair
                arrivals[group] = max(deaf_at, *(one.arrived for one in versions))
        return Compared(pairs, arrivals, now)

    def _weight(self, name: str) -> tuple[int, int]:
        """Of too many, what was used least is forgotten first."""
        tracks = self._tracks[name].values()
        return sum(track.seen for track in tracks), max(track.last for track in tracks)

    def _by_group(self, rule: AlertRule) -> dict[Group, list["_Version"]]:
        """Versions of each group; what several rules ask for is summed once."""
        asked = rule.labels_of_group, rule.filter
        if asked not in self._groups:
            found: dict[Group, dict[str, list[_Track]]] = {}
            for name, tracks in self._tracks.items():
                for series, track in tracks.items():
                    if matches(rule.filter, series):
                        group = group_of(rule, series)
                        found.setdefault(group, {}).setdefault(name, []).append(track)
            self._groups[asked] = {
                group: [_Version(name, tracks) for name, tracks in by_name.items()]
                for group, by_name in found.items()
            }
        return self._groups[asked]


class Compared:
    """What a rule sees of versions: only groups in which one is new."""

    gone = "No version of it is new any more, or the new one is not used."

    def __init__(
        self,
        pairs: dict[Group, "Pair"],
        arrivals: dict[Group, float],
        now: float,
    ) -> None:
        self._pairs = pairs
        self._arrivals = arrivals
        self._hour_from = int(now - HOUR) // VERSION_SLOT_S * VERSION_SLOT_S
        self.oldest = min(arrivals.values(), default=float("inf"))

    def cells(self, window: str, rule: AlertRule) -> dict[Group, Cell]:
        """The new version's last hour, or what the one before it was last like."""
        if window == PREVIOUS[BASELINE_WINDOW]:
            return {group: before.kept() for group, (_, before) in self._pairs.items()}
        return {group: new.kept(self._hour_from) for group, (new, _) in self._pairs.items()}

    def arrivals(self, rule: AlertRule) -> dict[Group, float]:
        """When something of each group last came."""
        return self._arrivals

    def about(self, group: Group) -> str:
        """Which two are compared."""
        new, before = self._pairs[group]
        return f"Version {new.name} after {before.name}: "


class _Track:
    """One version's series: its latest slots, which need not follow each other."""

    def __init__(self, start: int) -> None:
        self.first = self.last = start
        self.arrived = 0.0
        self.seen = 0
        """All its operations, also those of slots that were forgotten."""
        self.slots: dict[int, Cell] = {}

    def add(self, one: Stored) -> None:
        """Count more of a slot; what is older than all that is kept is only known to have been."""
        self.first, self.last = min(self.first, one.start), max(self.last, one.start)
        self.arrived = max(self.arrived, one.arrived)
        self.seen += one.cell.get("n", 0)
        add_into(self.slots.setdefault(one.start, {}), one.cell)
        while len(self.slots) > MOST_SLOTS:
            del self.slots[min(self.slots)]


class _Version:
    """One version within a group."""

    def __init__(self, name: str, tracks: list[_Track]) -> None:
        self.name = name
        self.first = min(track.first for track in tracks)
        self.last = max(track.last for track in tracks)
        self.arrived = max(track.arrived for track in tracks)
        self.seen = sum(track.seen for track in tracks)
        self._slots: dict[int, list[Cell]] = {}
        for track in tracks:
            for start, cell in track.slots.items():
                self._slots.setdefault(start, []).append(cell)
        self._kept: dict[int, Cell] = {}

    def kept(self, start: int = 0) -> Cell:
        """What it was last like: its latest slots, none of them before `start`."""
        if start not in self._kept:
            latest = sorted(self._slots)[-MOST_SLOTS:]
            self._kept[start] = merged(
                cell for slot in latest if slot >= start for cell in self._slots[slot]
            )
        return self._kept[start]


Pair = tuple[_Version, _Version]


def _pair(
    versions: list[_Version], rule: AlertRule, now: float
) -> tuple[_Version, _Version] | None:
    """The newest version in use, if it is new at all, and the one that it replaced."""
    # A name that was mistyped a few times is none.
    known: list[_Version] = []
    for one in versions:
        if one.seen >= rule.min_sample:
            insort(known, one, key=lambda one: (one.first, one.last, one.name))
    newest_use = max((one.last for one in known), default=0)
    in_use = [one for one in known if one.last >= newest_use - HOUR]
    if not in_use:
        return None
    new = in_use[-1]
    older = [one for one in known if one.first < new.first]
    # What was there in the first hour that we look at may have been there for ever.
    if not older or new.first < now - KNOWN_S + HOUR:
        return None
    return new, max(older, key=lambda one: (min(one.last, new.first), one.seen))
