"""Sums over sliding windows, kept up by differences: a changed cell costs what changed in it.

Windows up to an hour are made of minute cells, longer ones of hour cells. A window reaches from
the start of the minute (hour) in which it begins to the end of the running one, so it holds at
least what its name says and at most one minute (hour) more. Windows that only burn rates need hold
outcomes and nothing else: a full cell of a thousand models in each would be 10 MB.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple

from shared.alerts.burning import BURN_ONLY
from shared.alerts.looking import LENGTHS_S, past_hour
from shared.keys import HOUR_CELLS, MINUTE_CELLS
from shared.measures.cells import HOUR, MINUTE, Cell, Series, add_into, merged

OUTCOMES = ("n", "ok")
STEP = {MINUTE_CELLS: MINUTE, HOUR_CELLS: HOUR}
RESOLUTION = {
    window: MINUTE_CELLS if length <= HOUR else HOUR_CELLS for window, length in LENGTHS_S.items()
}
# A producer's clock may run a little ahead of ours.
TOLERANCE_S = 60
NOTHING: Mapping[str, int] = {}


class Place(NamedTuple):
    """Which cell of which partition: two partitions never share one."""

    source: object
    resolution: str
    tenant_id: str
    start: int


class Span(NamedTuple):
    """First and last but one start of the cells that a window holds."""

    start: int
    end: int


Model = tuple[str, str]  # tenant, model
SeriesCells = dict[Series, Cell]


def span_of(window: str, now: float) -> Span:
    """What a window holds at `now` (Unix seconds)."""
    step = STEP[RESOLUTION[window]]
    start = int(now - LENGTHS_S[window]) // step * step
    return Span(start, int(now + TOLERANCE_S) // step * step + step)


class Windows:
    """Cells of every partition, and their sums by model, window and series."""

    def __init__(
        self,
        now: float,
        wanted: Callable[[Model], bool] = lambda _: True,
        lengths: Collection[str] = tuple(LENGTHS_S),
    ) -> None:
        self.dirty: set[Model] = set()
        self.moved: set[Model] = set()
        """Models whose sums changed since somebody looked at how they are."""
        self.arrived: dict[Model, dict[Series, float]] = {}
        """When something of a series last came, by our own clock."""
        self._now = now
        self._wanted = wanted
        self._cells: dict[Place, SeriesCells] = {}
        self._by_start: dict[tuple[str, int], set[Place]] = {}
        self._sums: dict[Model, dict[str, SeriesCells]] = {}
        self._spans = {window: span_of(window, now) for window in lengths}
        self._keeps_weeks = "7d" in lengths
        self._past_hour, _ = past_hour(now)
        self._last_week: dict[str, dict[str, SeriesCells]] = {}
        """Tenant -> model -> what is in the past hour, of tenants of whom somebody asked."""

    def put(
        self,
        place: Place,
        content: Mapping[Series, Cell],
        *,
        arrived: float | Mapping[Series, float] | None = None,
    ) -> None:
        """Take a cell's new content; what it held before no longer counts.

        `arrived`: when what is new in it, or in each series, came at the latest (seconds since
        1970); else just now.
        """
        new = {
            series: cell
            for series, cell in content.items()
            if self._wanted((place.tenant_id, series.model_id))
        }
        changes = _difference(self._cells.get(place, {}), new)
        for window, span in self._spans.items():
            if RESOLUTION[window] == place.resolution and span.start <= place.start < span.end:
                self._add(window, place.tenant_id, changes, 1)
        if (place.resolution, place.start) == (HOUR_CELLS, self._past_hour):
            self._last_week.pop(place.tenant_id, None)
        for series in changes:
            came = arrived.get(series) if isinstance(arrived, Mapping) else arrived
            at = self._now if came is None else min(came, self._now)
            model = place.tenant_id, series.model_id
            self.dirty.add(model)
            self.moved.add(model)
            if series in new:
                times = self.arrived.setdefault(model, {})
                times[series] = max(at, times.get(series, at))
        if new:
            self._cells[place] = new
            self._by_start.setdefault((place.resolution, place.start), set()).add(place)
        else:
            self._cells.pop(place, None)

    def content(self, place: Place) -> Mapping[Series, Cell]:
        """What a cell holds."""
        return self._cells.get(place, {})

    def forget(self, source: object) -> None:
        """Drop all cells of one source."""
        for place in [place for place in self._cells if place.source == source]:
            self.put(place, {})

    def advance(self, now: float) -> bool:
        """Let time pass; true when any window moved."""
        moved, self._now = False, now
        for window, old in list(self._spans.items()):
            new = span_of(window, now)
            if new != old:
                moved = True
                self._shift(window, old, new)
                self._spans[window] = new
        hour, _ = past_hour(now)
        if hour != self._past_hour:
            self._past_hour = hour
            self._last_week.clear()
        if moved:
            self._drop_expired()
            self._forget_arrivals()
            self.dirty |= set(self._sums)
            self.moved |= set(self._sums)
        return moved

    def sums(self, model: Model) -> dict[str, SeriesCells]:
        """Window -> series -> cell of one model."""
        return self._sums.get(model, {})

    def hour_last_week(self, model: Model) -> SeriesCells:
        """Series -> cell of one model in the same hour last week.

        Only few ask for it, so it is put together when they do, and for the whole tenant at once:
        to search its cells for every model would take the square of their number.
        """
        tenant_id, model_id = model
        if tenant_id not in self._last_week:
            self._last_week[tenant_id] = self._in_past_hour(tenant_id)
        return self._last_week[tenant_id].get(model_id, {})

    def models(self) -> list[Model]:
        """Models of which anything is in a window."""
        return sorted(self._sums)

    def span(self, window: str) -> Span:
        """What the window holds now."""
        return self._spans[window]

    def retire(self, model: Model) -> bool:
        """Forget a model of which nothing is left in any window; true when it was."""
        if any(self.sums(model).values()):
            return False
        self._sums.pop(model, None)
        self.arrived.pop(model, None)
        return True

    def _in_past_hour(self, tenant_id: str) -> dict[str, SeriesCells]:
        found: dict[str, SeriesCells] = {}
        for place in self._by_start.get((HOUR_CELLS, self._past_hour), ()):
            if place.tenant_id == tenant_id:
                for series, cell in self._cells.get(place, {}).items():
                    known = found.setdefault(series.model_id, {})
                    # A cell that is held is never changed, so one source's needs no copy.
                    known[series] = merged((known[series], cell)) if series in known else cell
        return found

    def _shift(self, window: str, old: Span, new: Span) -> None:
        resolution = RESOLUTION[window]
        for start in {place.start for place in self._cells if place.resolution == resolution}:
            was, is_now = old.start <= start < old.end, new.start <= start < new.end
            if was != is_now:
                for place in self._by_start.get((resolution, start), ()):
                    content = self._cells.get(place, {})
                    self._add(window, place.tenant_id, content, 1 if is_now else -1)

    def _drop_expired(self) -> None:
        nothing = int(self._now + HOUR)
        oldest = {
            resolution: min(
                (span.start for w, span in self._spans.items() if RESOLUTION[w] == resolution),
                default=nothing,
            )
            for resolution in STEP
        }
        if self._keeps_weeks:
            oldest[HOUR_CELLS] = min(oldest[HOUR_CELLS], self._past_hour)
        for resolution, start in [key for key in self._by_start if key[1] < oldest[key[0]]]:
            for place in self._by_start.pop((resolution, start)):
                self._cells.pop(place, None)

    def _forget_arrivals(self) -> None:
        """Of series that are in no window any more nothing is known."""
        for model, times in self.arrived.items():
            held = {series for by_series in self.sums(model).values() for series in by_series}
            for series in times.keys() - held:
                del times[series]

    def _add(self, window: str, tenant_id: str, content: SeriesCells, sign: int) -> None:
        for series, whole in content.items():
            cell = whole
            if window in BURN_ONLY:
                cell = {name: whole[name] for name in OUTCOMES if name in whole}
            windows = self._sums.setdefault((tenant_id, series.model_id), {})
            by_series = windows.setdefault(window, {})
            total = by_series.setdefault(series, {})
            add_into(total, cell, sign)
            if not total:
                del by_series[series]


def _difference(old: SeriesCells, new: SeriesCells) -> SeriesCells:
    """What has to be added to `old` to make it `new`."""
    changes: SeriesCells = {}
    for series in old.keys() | new.keys():
        before, after = old.get(series, NOTHING), new.get(series, NOTHING)
        if before is after:
            continue
        change = {
            name: after.get(name, 0) - before.get(name, 0)
            for name in before.keys() | after.keys()
            if before.get(name) != after.get(name)
        }
        if change:
            changes[series] = change
    return changes


def total(by_series: Iterable[Cell]) -> Cell:
    """The sum over series."""
    out: Cell = {}
    for cell in by_series:
        add_into(out, cell)
    return out
