"""What is known of the time before a test: limits, and whether its units have covariates."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from services.abtest.domain.rows import NO_LIMITS, Limits
from shared.experiments.answers import Undefined
from shared.experiments.winsorising import limit_of_sketch


class Past(NamedTuple):
    """A test's past; frozen once it `is_made`."""

    is_made: bool = False
    """Units count by it, each from when it was first changed after that."""
    is_complete: bool = False
    """All units count by it."""
    has_units: bool = False
    """Whether any unit did anything before the test."""
    limits: Limits = NO_LIMITS


NO_PAST = Past()


def past_of(row: Any) -> Past:
    """From a row of a test beside its scan; a past that holds nothing is none."""
    limits = Limits(row["tok_limit"], row["cost_limit"])
    if row["marked_at"] is None or not (row["has_units"] or any(limits)):
        return NO_PAST
    return Past(True, row["completed_at"] is not None, row["has_units"], limits)


def limit(bins: Mapping[int, int]) -> int | None:
    """The limit of one operation's tokens or cost, by what operations had before the test."""
    found = limit_of_sketch(bins)
    # At 0 (all was free) anything that costs would count as nothing.
    return None if isinstance(found, Undefined) else round(found) or None
