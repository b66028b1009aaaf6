"""An effect as a share of the control, for people's eyes."""

from services.abtest.domain.guarding import LOGARITHMIC
from shared.experiments import relative
from shared.experiments.answers import Comparison, Undefined
from shared.experiments.estimators import Difference
from shared.experiments.margins import Measured
from shared.experiments.metrics import MetricConfig
from shared.experiments.relative import Lift


def lift(
    metric: MetricConfig,
    diff: Difference,
    shown: Comparison,
    level: float,
    measured: Measured | None = None,
) -> Lift | None:
    """The effect as a share of the control, by as many standard errors as the interval has.

    `measured` is the control where the difference is adjusted.
    """
    if shown.low is None or shown.high is None or diff.se == 0:
        return None
    try:
        if metric.name == LOGARITHMIC:
            found = relative.as_ratio(shown)
        else:
            reach = (shown.high - shown.low) / 2 / diff.se
            control = None if measured is None else measured.control
            found = relative.lift(diff, shown, reach, baseline=control, alpha=level)
    except OverflowError:  # so uncertain that no float holds its upper end
        return None
    return None if isinstance(found, Undefined) else found
