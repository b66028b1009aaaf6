"""Comparisons that advice may rest on: models on the same type, versions, raters that disagree.

All of them are tests of one family: which of them may be told is decided together, by Benjamini and
Hochberg's rule, so also the best of many models is compared with all others, not only with those
that look worst beside it. What rose has the p-value 1: discoveries that nobody is told of must not
make others look credible.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from typing import Final, Literal, NamedTuple

from scipy.special import ndtr

from services.gateway.domain.analysis.sums import (
    CONFLICT,
    RATING,
    Group,
    Judged,
    compared,
    estimate,
)
from services.gateway.domain.analysis.trends import is_enough
from shared.experiments.answers import ALPHA, Comparison, Undefined
from shared.experiments.estimators import rate
from shared.experiments.multiplicity import benjamini_hochberg

ACCUSING: Final = ("accurate", "helpful", RATING)
FALLING: Final = (RATING, "helpful", "accurate", "relevant", "fast")
MOST_CONFLICTS: Final = 0.1
"""A share of contradictory votes that any raters have."""
Kind = Literal["model_behind", "version_fell", "prompt_version_fell", "raters_disagree"]


class Side(NamedTuple):
    """One side of a comparison: what it is called, and what was said of it."""

    name: str
    judged: Judged


class Finding(NamedTuple):
    """One comparison: `worse` against `better`, or against a limit."""

    kind: Kind
    model_id: str
    operation_type: str | None
    metric: str
    worse: Side
    better: Side | None
    by: Comparison
    p_adjusted: float = 1.0

    @property
    def is_credible(self) -> bool:
        """Whether the interval excludes 0, and all tests together allow to tell it."""
        return self.by.excludes_zero and self.p_adjusted < ALPHA


def findings(
    by_type: Iterable[Group],
    versions: Iterable[Group],
    prompts: Iterable[Group],
    models: Iterable[Group],
) -> list[Finding]:
    """All comparisons that could be made, with p-values for all of them together."""
    made = [
        *_models(by_type),
        *_versions(versions, "version_fell"),
        *_versions(prompts, "prompt_version_fell"),
        *_conflicts(models),
    ]
    adjusted = benjamini_hochberg([one.by.p for one in made])
    return [one._replace(p_adjusted=p) for one, p in zip(made, adjusted, strict=True)]


def _models(groups: Iterable[Group]) -> Iterator[Finding]:
    by_type: dict[str, list[Group]] = {}
    for group in groups:
        if None not in group.key:
            by_type.setdefault(str(group.key[0]), []).append(group)
    for operation_type in sorted(by_type):
        for one, other in combinations(sorted(by_type[operation_type], key=_name), 2):
            for metric in ACCUSING:
                found = _pair("model_behind", operation_type, metric, one, other)
                if found is not None:
                    yield found


def _pair(kind: Kind, operation_type: str, metric: str, one: Group, other: Group) -> Finding | None:
    sides = [Side(_name(group), group.of(metric)) for group in (one, other)]
    worse, better = sorted(sides, key=lambda side: (side.judged.value or 0, side.name))
    by = _difference(metric, better, worse)
    if by is None:
        return None
    return Finding(kind, worse.name, operation_type, metric, worse, better, by)


def _versions(groups: Iterable[Group], kind: Kind) -> Iterator[Finding]:
    by_model: dict[str, list[Group]] = {}
    for group in groups:
        if None not in group.key:
            by_model.setdefault(str(group.key[0]), []).append(group)
    for model_id, known in sorted(by_model.items()):
        for metric in FALLING:
            told = [group for group in known if group.first_at and is_enough(group.of(metric))]
            told.sort(key=lambda group: (group.first_at, _name(group)))
            if len(told) < 2:
                continue
            before, after = (Side(_name(group), group.of(metric)) for group in told[-2:])
            by = _difference(metric, before, after)
            if by is not None:
                one_way = by if by.effect < 0 else by._replace(p=1.0)
                yield Finding(kind, model_id, None, metric, after, before, one_way)


def _conflicts(groups: Iterable[Group]) -> Iterator[Finding]:
    for group in groups:
        judged = group.of(CONFLICT)
        arm, found = rate(judged.sums), estimate(CONFLICT, judged)
        if group.key[0] is None or not is_enough(judged):
            continue
        if isinstance(arm, Undefined) or arm.squared_error == 0 or found is None:
            continue
        above = arm.value - MOST_CONFLICTS
        p = 2 * float(ndtr(-above / math.sqrt(arm.squared_error))) if above > 0 else 1.0
        low, high = (None if end is None else end - MOST_CONFLICTS for end in found[1:])
        side, name = Side(str(group.key[0]), judged), str(group.key[0])
        yield Finding(
            "raters_disagree", name, None, CONFLICT, side, None, Comparison(above, low, high, p)
        )


def _difference(metric: str, before: Side, after: Side) -> Comparison | None:
    if not (is_enough(before.judged) and is_enough(after.judged)):
        return None
    return compared(metric, before.judged, after.judged)


def _name(group: Group) -> str:
    return str(group.key[-1])


def best_of(found: Iterable[Finding]) -> Mapping[tuple[str, str | None, Kind], list[Finding]]:
    """Credible findings of what is worse, by what they accuse: the gravest of each metric first.

    Of the models that are better, the best; all metrics of one accusation are one piece of advice.
    """
    kept: dict[tuple[str, str | None, Kind], dict[str, Finding]] = {}
    for one in found:
        if not one.is_credible or (one.better is None) != (one.by.effect > 0):
            continue
        metrics = kept.setdefault((one.model_id, one.operation_type, one.kind), {})
        known = metrics.get(one.metric)
        if known is None or abs(one.by.effect) > abs(known.by.effect):
            metrics[one.metric] = one
    return {
        key: sorted(metrics.values(), key=lambda one: (-size_of(one), one.metric))
        for key, metrics in kept.items()
    }


def size_of(found: Finding) -> float:
    """An effect as a share from 0 to 1: four stars are all there is between the worst and best."""
    return abs(found.by.effect) / (4 if found.metric == RATING else 1)
