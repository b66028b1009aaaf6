"""Results of A/B tests as people read them, and their intervals as lines."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from services.gateway.domain.dashboard.charts import unit_of, word_of
from services.gateway.domain.dashboard.wording import (
    Shown,
    Wording,
    interval,
    plain,
    points,
    share,
    worded,
)
from shared.experiments.lifecycle import Action, State

WIDTH, EDGE = 240, 8
SIGNED: Final = "+"
STEPS: Final[Mapping[State, tuple[Action, ...]]] = {
    State.DRAFT: (Action.START,),
    State.RUNNING: (Action.PAUSE, Action.STOP),
    State.PAUSED: (Action.START, Action.STOP),
}
"""What a person may do to a test in a state."""


class Interval(NamedTuple):
    """A confidence interval on a line whose middle is no difference; all in pixels."""

    zero: float
    at: float
    low: float
    high: float
    words: str


class Compared(NamedTuple):
    """One comparison."""

    found: Mapping[str, Any]
    effect: Shown
    relative: Shown
    drawn: Interval | None
    decides: str


def compared(found: Mapping[str, Any]) -> Compared:
    """A comparison with its interval, drawn as a share of the control where that is known."""
    of = f"{found['units']:,} units, {found['operations']:,} operations, {found['method']}"
    word = signed(_word(found))
    effect = interval(_ends(found, "difference", "low", "high"), word, of)
    relative = _ends(found, "relative", "relative_low", "relative_high")
    shown = interval(relative, signed(share), of)
    is_whole = None not in relative.values()
    ends = relative if is_whole else _ends(found, "difference", "low", "high")
    return Compared(
        found, effect, shown, _drawn(ends, shown if is_whole else effect), _decides(found)
    )


def variants(found: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], list[tuple[str, Shown]]]]:
    """What each variant was seen to be."""
    return [
        (
            one,
            [
                (name, interval(value, word_of(unit_of(name)), f"{one['units']:,} units"))
                for name, value in one["metrics"].items()
            ],
        )
        for one in found["variants"]
    ]


def signed(word: Wording) -> Wording:
    """With a plus where it is one: a difference has a direction."""

    def said(value: float) -> str:
        size, nothing = word(abs(value)), word(0)
        if size == nothing:
            return nothing  # rounded away: it has no direction that could be read
        return (SIGNED if value > 0 else "-") + size

    return said


def days_left(days: float | None) -> str:
    """How long a test goes on."""
    return worded(days, lambda value: f"{value:.1f} days")


def _word(found: Mapping[str, Any]) -> Wording:
    unit = unit_of(found["metric"])
    if found["unit"] == "ln":
        return plain
    return points if unit == "share" else word_of(unit)


def _decides(found: Mapping[str, Any]) -> str:
    if found["harmed"]:
        return "surely worse"
    if found["role"] == "guardrail" and found["non_inferior"]:
        return "holds"
    if found["significant"]:
        return "significant"
    return "not sure yet" if found["enough_data"] else "too little data"


def _ends(found: Mapping[str, Any], *names: str) -> dict[str, float | None]:
    return dict(zip(("value", "low", "high"), (found[name] for name in names), strict=True))


def _drawn(ends: Mapping[str, float | None], shown: Shown) -> Interval | None:
    known: Sequence[float] = [one for one in ends.values() if one is not None]
    most = max(map(abs, known), default=0.0)
    if len(known) < len(ends) or most == 0:
        return None
    middle, half = WIDTH / 2, WIDTH / 2 - EDGE
    at, low, high = (round(middle + half * one / most, 1) for one in known)
    return Interval(middle, at, low, high, f"{shown.text}, {shown.hint}")
