"""The versions of the formula of quality and weight: constants only, so that a rebuild can choose.

A version is never edited, since rows name it. A change that is no constant gets a new member, whose
value in the older versions leaves their results bit for bit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType


class Kind(StrEnum):
    """What a vote is worth: the first four in quality, `code` in checks."""

    EXPERT = "expert"
    USER = "user"
    MODEL = "model"
    IMPLICIT = "implicit"  # a comment without rating or thumbs: read by a scorer, not said
    CODE = "code"


_SOURCES = MappingProxyType({Kind.EXPERT: 1.0, Kind.USER: 0.7, Kind.MODEL: 0.4, Kind.IMPLICIT: 0.2})


@dataclass(frozen=True, slots=True)
class Formula:
    """Constants of one version. The four shares add up to 1. Source: docs/feedback.md."""

    version: str
    sources: Mapping[Kind, float] = field(default_factory=lambda: _SOURCES)
    half_life_days: float = 180
    neutral: float = 0.5
    prior: float = 1  # votes that the neutral value counts for
    quality: float = 0.50
    outcome: float = 0.25
    checks: float = 0.15
    confidence: float = 0.10
    # How much of a vote's distance from neutral stays where its comment says the opposite. Nearer
    # to neutral, not lighter: a lighter vote would let 2 stars weigh more than 3 beside praise.
    conflict_keeps: float = 1


V1 = Formula("1")
V2 = replace(V1, version="2", conflict_keeps=0.5)
FORMULAS: Mapping[str, Formula] = MappingProxyType({one.version: one for one in (V1, V2)})
CURRENT = V2


def formula(version: str) -> Formula:
    """The formula of a version. Raises ValueError if there is none."""
    if version not in FORMULAS:
        raise ValueError(f"no formula {version!r}: there are {', '.join(FORMULAS)}")
    return FORMULAS[version]
