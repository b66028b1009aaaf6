"""What one look at a test leaves to the next. JSON keeps it to the last bit."""

from typing import NamedTuple, Self

from pydantic import BaseModel, ConfigDict

from services.abtest.domain.adjusting import Adjustment
from shared.experiments.estimators import Difference
from shared.experiments.metrics import MetricName

MOST_EVIDENCE = 1e6  # ln of a Bayes factor; JSON knows no infinity, and e^-1e6 is 0 as well


class Smallest(NamedTuple):
    """The smallest two-sided p of all looks at which the variant was above, or below, control."""

    above: float = 1.0
    below: float = 1.0

    def seen(self, effect: float, p: float) -> Self:
        """After one more look."""
        if effect > 0:
            return self._replace(above=min(self.above, p))
        if effect < 0:
            return self._replace(below=min(self.below, p))
        return self

    @property
    def p(self) -> float:
        """Whatever the direction."""
        return min(self.above, self.below)


class Missing(NamedTuple):
    """Shares of units without a value of the primary metric that chance does not explain."""

    metric: MetricName
    variant: str
    control: str
    of_variant: float
    of_control: float


class Doubled(NamedTuple):
    """What tests of one look said when the units had last doubled."""

    units: int = 0
    is_unfair: bool = False
    missing: Missing | None = None


NEVER = Doubled()


class Memory(BaseModel):
    """Everything that a look cannot read from the sums of the moment."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    smallest: dict[str, Smallest] = {}
    """By comparison, see `place`."""
    frozen: dict[str, Difference] = {}
    """Of tests with planned units: what was there at the first look at which they were reached."""
    adjusted: dict[str, Adjustment] = {}
    """How frozen differences were adjusted; without an entry, not at all."""
    ended: bool = False
    """Whether the planned units were reached."""
    split_peak: float = 0.0
    """ln of the largest evidence against the split at any look."""
    doubled: Doubled = NEVER
    shipped: str | None = None


NOTHING = Memory()


def place(metric: str, variant: str) -> str:
    """The name of a comparison. No metric has a colon."""
    return f"{metric}:{variant}"
