"""What feedback says, as people read it."""

from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any

from services.gateway.domain.dashboard.charts import Chart, Curve
from services.gateway.domain.dashboard.wording import Shown, interval, plain, points, share

ASPECTS = ("helpful", "accurate", "relevant", "fast")


def judged(found: Mapping[str, Any], name: str) -> Shown:
    """A share or a rating, with how many judged."""
    word = plain if name == "rating" else share
    return interval(found, word, f"{found['count']:,} judgements")


def said(found: Mapping[str, Any]) -> list[tuple[str, Shown]]:
    """What was said of one thing."""
    return [
        ("rating", judged(found["rating"], "rating")),
        *((name, judged(found["aspects"][name], name)) for name in ASPECTS),
        ("negative", judged(found["sentiment"]["negative"], "negative")),
    ]


def trend_chart(name: str, found: Mapping[str, Any]) -> Chart:
    """One metric, day by day."""
    days, unit = found["points"], "" if name == "rating" else "share"
    x = [datetime.combine(one["day"], time(), UTC).timestamp() for one in days]
    ends = ([one[end] for one in days] for end in ("value", "low", "high"))
    trend = found["trend"]
    slope = trend["slope_per_day"]
    word = points if unit == "share" else plain
    moved = "" if slope is None else f", {word(abs(slope))} a day"
    title = f"{name.replace('_', ' ')}: {trend['direction']}{moved}"
    return Chart(title, unit, x, [Curve(name, *ends)], f"{title}, over {trend['days']} days")
