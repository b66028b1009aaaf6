"""Sentences of advice: what was found, with its numbers, and what to do about it."""

from collections.abc import Mapping
from typing import Any

from services.gateway.domain.analysis.comparing import MOST_CONFLICTS, Finding, Side
from services.gateway.domain.analysis.sums import RATING, estimate
from services.gateway.domain.analysis.themes import Theme

Words = tuple[str, str]
"""What was found, and what to do."""
_NAMED = {"accurate": "accuracy", "helpful": "helpful", RATING: "rating"}


def behind(found: Finding, theme: Theme | None) -> Words:
    """A model beside a better one."""
    assert found.better is not None  # noqa: S101 - it is compared with a model
    where = f" on {found.operation_type}"
    said = f"{_complaint(theme)}; " if theme else ""
    sentence = f"{found.model_id}{where}: {said}{_numbers(found)} of {found.better.name}."
    return (
        sentence,
        f"Send {found.operation_type} to {found.better.name}, or mend {found.model_id}.",
    )


def fell(found: Finding, theme: Theme | None) -> Words:
    """A version beside the one before it."""
    assert found.better is not None  # noqa: S101 - it is compared with a version
    what = "version" if found.kind == "version_fell" else "prompt version"
    said = f" {_complaint(theme)}." if theme else ""
    sentence = (
        f"{found.model_id} since {what} {found.worse.name}: {_numbers(found)} of {what} "
        f"{found.better.name}.{said}"
    )
    return sentence, f"Go back to {what} {found.better.name}, or look at what changed since."


def disagree(found: Finding, _: Theme | None) -> Words:
    """Votes that contradict themselves."""
    sentence = (
        f"{found.model_id}: {_side(found.metric, found.worse)} of {found.worse.judged.given} votes "
        f"contradict their own comment, more than {_percent(MOST_CONFLICTS)}."
    )
    return sentence, "Ask raters what they mean, and look at how they are asked."


def theme_sentence(theme: Theme) -> Words:
    """What many negative comments say."""
    words = ", ".join(theme.words)
    return f"{theme.model_id}: {_complaint(theme)}.", f"Read the examples of {words} and mend that."


def missing(waiting: Mapping[str, Any]) -> Words:
    """Operations that never came."""
    late, feedback = waiting["late"], waiting["feedback"]
    operations = "1 operation has" if late == 1 else f"{late} operations have"
    sentence = (
        f"{operations} feedback and did not come within 24 h; {feedback} "
        f"{'feedback waits' if feedback == 1 else 'feedbacks wait'} for operations, the oldest "
        f"since {waiting['oldest_at']:%Y-%m-%d %H:%M} UTC."
    )
    return sentence, "Look whether all operations are sent, under the id that feedback names."


def _complaint(theme: Theme) -> str:
    found = estimate("share", theme.share)
    assert found is not None  # noqa: S101 - a theme has comments
    words = ", ".join(theme.words)
    return f"{_percent(found.value)} of {theme.share.given} negative comments say {words}"


def _numbers(found: Finding) -> str:
    assert found.better is not None  # noqa: S101 - it is compared with something
    better = estimate(found.metric, found.better.judged)
    assert better is not None  # noqa: S101 - only what was judged is compared
    name = _NAMED.get(found.metric, found.metric)
    return f"{name} {_side(found.metric, found.worse)} against {better.value:.2f}"


def _side(metric: str, side: Side) -> str:
    found = estimate(metric, side.judged)
    assert found is not None and found.low is not None and found.high is not None  # noqa: S101, PT018
    return f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f})"


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %"
