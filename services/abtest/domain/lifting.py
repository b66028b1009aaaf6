"""An effect as a share of the control, for people's eyes."""

from services.abtest.domain.guarding import LOGARITHMIC
from shared.experiments import relative
from shared.experiments.answers import Comparison, Undefined
from shared.experiments.estimators import Difference
from shared.experiments.metrics import MetricConfig
from shared.experiments.relative import Lift


def lift(metric: MetricConfig, diff: Difference, shown: Comparison, level: float) -> Lift | None:
    """The effect as a share of the control, by as many standard errors as the interval has."""
    if shown.low is None or shown.high is None or diff.se == 0:
        return None
    try:
        if metric.name == LOGARITHMIC:
            found = relative.as_ratio(shown)
        else:
            reach = (shown.high - shown.low) / 2 / diff.se
            found = relative.lift(diff, shown, reach, alpha=level)
    except OverflowError:  # so uncertain that no float holds its upper end
        return None
    return None if isinstance(found, Undefined) else found
