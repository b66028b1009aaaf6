"""What a test is to hold: its errors, when it may decide, and how large an effect it is to find.

Apart from the planner, whose solver is 20 MB in each process that imports it.
"""

from enum import StrEnum
from typing import NamedTuple

from scipy.special import ndtri

from shared.experiments.answers import ALPHA, checked_level
from shared.experiments.sequential import PLANNED_UNITS, critical


class Mode(StrEnum):
    """When a test may decide."""

    FIXED = "fixed"
    HYBRID = "hybrid"
    ALWAYS_VALID = "always_valid"


class Design(NamedTuple):
    """What the test is to hold: `split` is units of b per unit of a, `planned` N* if it is set.

    Alpha is shared by the treatments, and the chance to miss (1 - power) by the primary metric and
    the guardrails, which must all be seen not to be inferior (conservative).
    """

    alpha: float = ALPHA
    power: float = 0.8
    split: float = 1.0
    treatments: int = 1
    guardrails: int = 0
    mode: Mode = Mode.FIXED
    planned: float | None = None

    @property
    def level(self) -> float:
        """Alpha of one treatment's comparison."""
        return checked_level(self.alpha) / self.treatments

    @property
    def beta(self) -> float:
        """Chance of one metric to be missed."""
        return (1 - checked_level(self.power)) / (self.guardrails + 1)

    def reach(self, units: float | None = None) -> float:
        """c: standard errors to each side of D at so many units of both arms; without, at N*."""
        if self.mode is Mode.ALWAYS_VALID:
            planned = self.planned or PLANNED_UNITS
            return critical(units or planned, planned, self.level)
        return quantile(1 - self.t_level / 2)

    @property
    def t_level(self) -> float:
        """Alpha of the t-test at the end: the looks of a hybrid have spent half of it."""
        return self.level / 2 if self.mode is Mode.HYBRID else self.level


class Variances(NamedTuple):
    """Variance of one unit in each arm."""

    a: float
    b: float

    def per_unit_of_a(self, split: float) -> float:
        """SE^2 of D times the control's units."""
        return self.a + self.b / split


def quantile(probability: float) -> float:
    """The normal quantile."""
    return float(ndtri(probability))
