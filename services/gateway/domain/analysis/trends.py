"""How feedback moves: by day, and the last seven days against the seven before."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from services.gateway.domain.analysis.sums import (
    ASPECTS,
    NOTHING,
    RATING,
    Group,
    Judged,
    compared,
    shown,
)
from shared.experiments.answers import ALPHA
from shared.experiments.multiplicity import holm

MOVING: Final[Mapping[str, str]] = {
    RATING: RATING,
    **{aspect: aspect for aspect in ASPECTS},
    "negative_share": "negative",
}
WEEK: Final = timedelta(days=7)
LEAST_DAYS: Final = 14
"""Of less than two weeks nothing is said: part of a week's rise and fall looks like a trend."""
LEAST_JUDGEMENTS: Final = 25
LEAST_PEOPLE: Final = 5


def days_of(start: datetime, end: datetime) -> list[date]:
    """The days (UTC) that a span touches."""
    first = start.astimezone(UTC).date()
    last = (end - timedelta(microseconds=1)).astimezone(UTC).date()
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def points(metric: str, days: Sequence[date], groups: Iterable[Group]) -> list[dict[str, Any]]:
    """A metric day by day; nulls where nobody judged."""
    of_day = {group.key[0]: group.of(metric) for group in groups}
    return [{"day": day} | shown(metric, of_day.get(day.isoformat(), NOTHING)) for day in days]


def changes(before: Group | None, after: Group | None) -> dict[str, dict[str, Any]]:
    """What changed from one week to the next, by metric; p-values hold for all together (Holm)."""
    weeks = {
        name: tuple(NOTHING if one is None else one.of(metric) for one in (before, after))
        for name, metric in MOVING.items()
    }
    found = {
        name: compared(MOVING[name], *pair)
        for name, pair in weeks.items()
        if all(is_enough(one) for one in pair)
    }
    tested = {name: one for name, one in found.items() if one is not None}
    adjusted = dict(zip(tested, holm([one.p for one in tested.values()]), strict=True))
    return {
        name: {
            "before": shown(MOVING[name], pair[0]),
            "after": shown(MOVING[name], pair[1]),
            "difference": tested[name].effect if name in tested else None,
            "low": tested[name].low if name in tested else None,
            "high": tested[name].high if name in tested else None,
            "p_value": tested[name].p if name in tested else None,
            "p_adjusted": adjusted.get(name),
            "significant": (
                tested[name].excludes_zero and adjusted[name] < ALPHA if name in tested else None
            ),
        }
        for name, pair in weeks.items()
    }


def is_enough(judged: Judged) -> bool:
    """Whether so many judged that a comparison means anything."""
    return judged.given >= LEAST_JUDGEMENTS and judged.people >= LEAST_PEOPLE


def trend_view(found: Mapping[str, Any]) -> dict[str, Any]:
    """A trend as it is answered: the slope is per day."""
    return {
        "direction": found["direction"],
        "slope_per_day": found["slope"],
        "low": found["low"],
        "high": found["high"],
        "p_value": found["p_value"],
        "days": found["points"],
    }
