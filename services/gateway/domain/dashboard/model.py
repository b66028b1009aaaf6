"""One model's numbers as people read them."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from services.gateway.domain.dashboard.wording import (
    DASH,
    NOTHING,
    Shown,
    Wording,
    count,
    dollars,
    interval,
    milliseconds,
    operations,
    plain,
    share,
    single,
)
from shared.measures import intervals

ASPECTS = ("helpful", "accurate", "relevant", "fast")
Facts = list[tuple[str, Shown]]


class Numbers(NamedTuple):
    """Cards of a model's page: each a title and facts."""

    cards: list[tuple[str, Facts]]
    errors: list[tuple[str, str, Shown]]


def numbers(found: Mapping[str, Any]) -> Numbers:
    """The answer of `GET /ai/metrics/{model_id}`."""
    of = f"{operations(found['sample'])} in {found['window']}"
    cards = [
        ("Outcome", _outcome(found, of)),
        ("Response time", _times(found["response_time_ms"], of)),
        ("Tokens", _all(found["tokens"], count, of)),
        ("Cost", _all(found["cost_usd"], dollars, f"of priced ones among {of}")),
        ("Confidence", _confidence(found["confidence"], f"of those that say it among {of}")),
        ("Feedback", _feedback(found["feedback"])),
    ]
    errors = [(one["type"], count(one["count"]), _error(one, found, of)) for one in found["errors"]]
    return Numbers(cards, errors)


def measure(found: Mapping[str, Any]) -> Shown:
    """One side of a model's health."""
    word = plain if found["name"] == "rating" else share
    return interval(found, word, f"{found['sample']:,} observations in {found['window']}")


def _error(one: Mapping[str, Any], found: Mapping[str, Any], of: str) -> Shown:
    """How often one kind of error comes, with its interval: the answer itself has none."""
    seen = intervals.share(one["count"], found["sample"])
    return interval({"value": one["share"]} if seen is None else seen._asdict(), share, of)


def _outcome(found: Mapping[str, Any], of: str) -> Facts:
    return [
        ("success", interval(found["success_rate"], share, of)),
        ("operations", Shown(count(found["sample"]), of)),
        ("per minute", single(found["throughput_per_minute"], plain, of)),
    ]


def _times(found: Mapping[str, Any], of: str) -> Facts:
    middle = {"value": found["geometric_mean"], "low": found["low"], "high": found["high"]}
    rest = [(one, single(found[one], milliseconds, of)) for one in ("mean", "p50", "p95", "p99")]
    return [("geometric mean", interval(middle, milliseconds, of)), *rest]


def _all(found: Mapping[str, Any], word: Wording, of: str) -> Facts:
    return [(name.replace("_", " "), single(value, word, of)) for name, value in found.items()]


def _confidence(found: Mapping[str, Any], of: str) -> Facts:
    mean = {"value": found["mean"], "low": found["low"], "high": found["high"]}
    return [
        ("mean", interval(mean, share, of)),
        ("calibration error", single(found["calibration_error"], share, of)),
        ("Brier score", single(found["brier"], plain, of)),
    ]


def _feedback(found: Mapping[str, Any]) -> Facts:
    of = f"{found['count']:,} pieces of feedback"
    said = [(name, interval(found[name], share, of)) for name in ASPECTS]
    how_many = Shown(count(found["count"]), of) if found["count"] else Shown(DASH, NOTHING)
    return [("pieces", how_many), ("rating", interval(found["rating"], plain, of)), *said]
