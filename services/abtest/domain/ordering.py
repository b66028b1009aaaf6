"""Ratings as an order: a second look at a rating's result, which decides nothing."""

from services.abtest.domain import phases
from services.abtest.domain.state import TestState
from shared.experiments.answers import Undefined
from shared.experiments.ordinal import Superiority, superiority


def ordered(state: TestState, control: str, variant: str) -> Superiority | None:
    """How likely a unit of the variant rates higher, by each unit's mean rating, rounded.

    Of tests whose both variants were seen in one epoch: orders of several do not add up.
    """
    pairs = list(phases.pairs(state, control, variant))
    if len(pairs) != 1:
        return None
    for arm in pairs[0]:
        if min(arm.ratings) < 0 or sum(arm.ratings) != phases.sums(arm, "rating").n:
            return None  # not all are counted yet: an older release may still be at it
    found = superiority(pairs[0][0].ratings, pairs[0][1].ratings)
    return None if isinstance(found, Undefined) else found
