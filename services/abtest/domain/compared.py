"""One row of the comparisons: what is known of a treatment beside the control in one metric."""

import math
from dataclasses import dataclass

from services.abtest.domain.adjusting import Adjustment
from services.abtest.domain.gates import Gate, Unmet
from services.abtest.domain.guarding import Guard
from services.abtest.domain.levels import Plan
from services.abtest.domain.memory import Smallest
from shared.experiments.answers import Comparison, Undefined
from shared.experiments.estimators import Difference
from shared.experiments.metrics import MetricConfig, Role
from shared.experiments.relative import Lift
from shared.experiments.results import Method

NO_SMALLEST = Smallest()


@dataclass(frozen=True, slots=True)
class Compared:
    """One row: a treatment beside the control in one metric.

    `too_early` is why there is not enough data, `unmet` why it may not decide now. `smallest` holds
    p of looks that had enough data, `p` also this look's.
    """

    name: str
    metric: MetricConfig
    variant: str
    control: str
    plan: Plan
    diff: Difference | Undefined
    too_early: Unmet | None
    unmet: Unmet | None
    is_live: bool
    is_frozen: bool = False
    """Whether the difference is that of the planned end."""
    fell: bool = False
    """Whether the primary does harm by all units, though it was frozen at the planned end."""
    adjustment: Adjustment | None = None
    shown: Comparison | None = None
    method: Method = "always_valid"
    smallest: Smallest = NO_SMALLEST
    p: float | None = None
    p_adjusted: float | None = None
    p_better: float = 1.0
    lift: Lift | None = None
    one_look: Comparison | None = None
    guard: Guard | None = None

    @property
    def role(self) -> Role:
        """Its part in the decision; percentiles have none."""
        return self.metric.role if self.name == self.metric.name else "secondary"

    @property
    def sign(self) -> int:
        """1 where more is better."""
        return 1 if self.metric.better == "increase" else -1

    @property
    def gain(self) -> float:
        """By how much it is better, seen now; below 0, worse."""
        return 0.0 if isinstance(self.diff, Undefined) else self.sign * self.diff.effect

    @property
    def least_gain(self) -> float:
        """The worse end of the interval, as a gain."""
        if self.shown is None or self.shown.low is None or self.shown.high is None:
            return -math.inf
        return min(self.sign * self.shown.low, self.sign * self.shown.high)

    @property
    def harmed(self) -> bool:
        """Surely worse, on enough data: a guardrail by its bound, the primary by its interval."""
        if self.too_early is not None or self.is_dominated:
            return False
        if self.role == "primary":
            shown = self.shown
            return self.fell or (
                shown is not None and shown.excludes_zero and self.sign * shown.effect < 0
            )
        return self.guard is not None and self.guard.harm.harmed

    @property
    def within_margin(self) -> bool:
        """Of a guardrail: surely not worse than its margin allows."""
        has_units = self.too_early is None or self.too_early.gate is Gate.RARER_KIND
        return has_units and not self.is_dominated and self.guard is not None and self.guard.within

    @property
    def is_dominated(self) -> bool:
        """Whether one unit is the result."""
        return self.unmet is not None and self.unmet.gate is Gate.DOMINATED

    @property
    def significant(self) -> bool:
        """After correction for how many were compared, on enough data."""
        if self.too_early is not None or self.is_dominated:
            return False
        if self.role == "guardrail":
            return self.harmed
        return self.p_adjusted is not None and self.p_adjusted < self.plan.alpha
