"""Numbers as people read them, each with what it rests on; nothing observed is a dash, never 0."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

DASH: Final = "\u2013"
NOTHING: Final = "nothing observed"
Wording = Callable[[float], str]


class Shown(NamedTuple):
    """A number in words, and its interval or sample for whoever asks."""

    text: str
    hint: str


def share(value: float) -> str:
    """A share as per cent; what is not all is never rounded up to it."""
    per_cent = value * 100
    text = f"{per_cent:.1f}"
    if text == "100.0" and value < 1:
        text = ">99.9"
    elif text == "0.0" and value > 0:
        text = "<0.1"
    return f"{text} %"


def points(value: float) -> str:
    """A difference of shares, which is no share of anything; what is rounded to 0 has no sign."""
    return f"{round(value * 100, 2) or 0.0:.2f} pp"


def milliseconds(value: float) -> str:
    """A duration, which is never rounded to none; bounds are where rounding reaches the next."""
    if 0 < value < 0.05:
        return "<0.1 ms"
    if value < 9.95:
        return f"{value:.1f} ms"
    if value < 999.5:
        return f"{value:.0f} ms"
    return f"{value / 1_000:,.2f} s"


def seconds(value: float) -> str:
    """How old something is."""
    return f"{value:.1f} s" if value < 59.95 else f"{value / 60:,.1f} min"


def dollars(value: float) -> str:
    """An amount of money, with enough digits that little is not nothing."""
    return f"${value:,.2f}" if value >= 1 or value == 0 else f"${value:.4g}"


def count(value: float) -> str:
    """How many."""
    return f"{value:,.0f}"


def plain(value: float) -> str:
    """Any other number, to four digits; of a large one to all before the point."""
    return f"{value:,.0f}" if abs(value) >= 999.95 else f"{value:.4g}"


def exact(value: float) -> str:
    """A number that somebody set: as it was set, to six digits at least."""
    return f"{value:,.0f}" if abs(value) >= 99_999.5 else f"{value:,.6g}"


def exact_share(value: float) -> str:
    """A limit of a share: 99.99 % and 99.999 % are not the same."""
    text = exact(value * 100)
    return f"{value * 100:.12g} %" if text == "100" and value < 1 else f"{text} %"


def exact_points(value: float) -> str:
    """By how much a share may differ."""
    return f"{exact(value * 100)} pp"


def exact_milliseconds(value: float) -> str:
    """A limit of a duration."""
    return f"{exact(value)} ms"


def exact_dollars(value: float) -> str:
    """A limit of an amount."""
    return f"${exact(value)}"


def size(value: float) -> str:
    """Memory."""
    return f"{value / 1_048_576:,.0f} MiB"


def worded(value: float | None, word: Wording) -> str:
    """A number in words, or the dash."""
    return DASH if value is None else word(value)


def interval(found: Mapping[str, Any], word: Wording, of: str) -> Shown:
    """A value with its 95 % interval; `of` says what it was seen on."""
    value, low, high = (found.get(name) for name in ("value", "low", "high"))
    if value is None:
        return Shown(DASH, NOTHING)
    if low is None or high is None:
        return Shown(word(value), of)
    return Shown(word(value), f"95 % interval {word(low)} to {word(high)}, {of}")


def single(value: float | None, word: Wording, of: str) -> Shown:
    """A value that has no interval, with its sample."""
    return Shown(DASH, NOTHING) if value is None else Shown(word(value), of)


def instant(at: datetime | str | None) -> str:
    """A time, to the second, in UTC."""
    if at is None:
        return DASH
    known = datetime.fromisoformat(at) if isinstance(at, str) else at
    return f"{known.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def operations(sample: int) -> str:
    """A sample of operations."""
    return f"{sample:,} operation{'' if sample == 1 else 's'}"
