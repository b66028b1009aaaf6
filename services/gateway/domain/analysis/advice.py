"""Advice from feedback: what would help most comes first, with the numbers behind it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from services.gateway.domain.analysis.comparing import (
    MOST_CONFLICTS,
    Finding,
    Kind,
    best_of,
    size_of,
)
from services.gateway.domain.analysis.sums import Group, estimate, shown
from services.gateway.domain.analysis.themes import Theme
from services.gateway.domain.analysis.wording import (
    behind,
    disagree,
    fell,
    missing,
    theme_sentence,
)

LEAST_THEME_SHARE: Final = 0.2
LEAST_THEME_COMMENTS: Final = 5
MOST_ADVICE: Final = 50


class Circumstances(NamedTuple):
    """What effects are weighed with: how much of all each thing is."""

    traffic: Mapping[tuple[str, str], int]
    """Operations by model and type."""
    models: Sequence[Group]
    by_type: Sequence[Group]
    versions: Sequence[Group]
    prompts: Sequence[Group]
    waiting: Mapping[str, Any]


class Advice(NamedTuple):
    """One recommendation."""

    kind: str
    sentence: str
    action: str
    model_id: str | None
    operation_type: str | None
    expected_effect: float
    evidence: dict[str, Any]


def advised(
    found: Iterable[Finding], themes: Sequence[Theme], of: Circumstances
) -> list[dict[str, Any]]:
    """Advice as it is answered, ranked by the share of feedback that it would better."""
    made = [
        *(_accused(accusation, of, themes) for accusation in best_of(found).values()),
        *_of_themes(themes, of),
        *_of_waiting(of),
    ]
    made.sort(key=lambda one: (-one.expected_effect, one.kind, one.sentence))
    return [{"rank": rank} | one._asdict() for rank, one in enumerate(made[:MOST_ADVICE], 1)]


def no_advice(feedback: int, comparisons: int) -> str:
    """Why there is none."""
    if not feedback:
        return "No advice: no feedback was read in this span."
    if not comparisons:
        return (
            f"No advice: {feedback} feedbacks are too few of each model and version to compare "
            "(25 judgements of 5 people each), and no theme or waiting operation stands out."
        )
    compared = "1 comparison was" if comparisons == 1 else f"{comparisons} comparisons were"
    return (
        f"No advice: {compared} made and none shows a difference that chance does not explain; "
        "no theme holds a fifth of a model's negative comments, and no operation is missing."
    )


def _accused(found: list[Finding], of: Circumstances, themes: Sequence[Theme]) -> Advice:
    gravest = found[0]
    share, basis = _share(gravest, of)
    words = {"raters_disagree": disagree, "model_behind": behind}.get(gravest.kind, fell)
    theme = next((one for one in themes if one.model_id == gravest.model_id), None)
    sentence, action = words(gravest, theme)
    return Advice(
        gravest.kind,
        sentence,
        action,
        gravest.model_id,
        gravest.operation_type,
        size_of(gravest) * share,
        {"share": share, "share_of": basis, "comparisons": [_comparison(one) for one in found]},
    )


def _comparison(found: Finding) -> dict[str, Any]:
    better = found.better
    return {
        "metric": found.metric,
        "worse": {"name": found.worse.name} | shown(found.metric, found.worse.judged),
        "better": better and {"name": better.name} | shown(found.metric, better.judged),
        "limit": MOST_CONFLICTS if better is None else None,
        "difference": found.by.effect,
        "low": found.by.low,
        "high": found.by.high,
        "p_value": found.by.p,
        "p_adjusted": found.p_adjusted,
    }


def _share(found: Finding, of: Circumstances) -> tuple[float, str]:
    """Which part of all operations is concerned; of all feedback where nobody counts operations."""
    feedback = max(1, sum(group.votes for group in of.models))
    kind: Kind = found.kind
    if kind in ("version_fell", "prompt_version_fell"):
        groups = of.versions if kind == "version_fell" else of.prompts
        key = (found.model_id, found.worse.name)
        return sum(one.votes for one in groups if one.key == key) / feedback, "feedback"
    if kind == "raters_disagree":
        return _feedback_share(found.model_id, of), "feedback"
    operations = sum(of.traffic.values())
    own = of.traffic.get((found.model_id, found.operation_type or ""), 0)
    if own:
        return own / operations, "operations"
    key = (found.operation_type or "", found.model_id)
    return sum(one.votes for one in of.by_type if one.key == key) / feedback, "feedback"


def _feedback_share(model_id: str, of: Circumstances) -> float:
    own = sum(group.votes for group in of.models if group.key == (model_id,))
    return own / max(1, sum(group.votes for group in of.models))


def _of_themes(themes: Sequence[Theme], of: Circumstances) -> Iterable[Advice]:
    for one in themes:
        found = estimate("share", one.share)
        comments = int(one.share.sums.m)
        if found is None or found.value < LEAST_THEME_SHARE or comments < LEAST_THEME_COMMENTS:
            continue
        negative = sum(
            int(group.of("negative").sums.m) for group in of.models if group.key == (one.model_id,)
        ) / max(1, sum(group.votes for group in of.models))
        sentence, action = theme_sentence(one)
        evidence = {
            "words": list(one.words),
            "comments": comments,
            "theme_share": shown("share", one.share),
            "share": negative,
            "share_of": "feedback",
        }
        effect = found.value * negative
        yield Advice("theme", sentence, action, one.model_id, None, effect, evidence)


def _of_waiting(of: Circumstances) -> Iterable[Advice]:
    late = of.waiting["late"]
    if late:
        sentence, action = missing(of.waiting)
        feedback = of.waiting["feedback"]
        share = feedback / max(1, feedback, sum(group.votes for group in of.models))
        evidence = {
            "operations": of.waiting["operations"],
            "operations_over_24h": late,
            "oldest_at": of.waiting["oldest_at"],
            "share": share,
            "share_of": "feedback",
        }
        yield Advice("operations_missing", sentence, action, None, None, share, evidence)
