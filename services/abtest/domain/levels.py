"""At which level, and by which plan, each comparison of a test is decided: fixed at its start."""

from typing import NamedTuple

from services.abtest.domain.state import TestState
from shared.experiments.config import ExperimentConfig
from shared.experiments.design import Design, Mode
from shared.experiments.sequential import PLANNED_UNITS

MOST_ONE_SIDED = 0.49
"""One-sided bounds exist below a level of one half only; no test at 0.5 is worth more care."""


class Plan(NamedTuple):
    """What a comparison with the control is held to."""

    alpha: float
    treatments: int
    n_star: float
    """Units of both variants at which the interval is tightest."""
    hybrid: bool
    ended: bool
    """Whether the planned units of the whole test were reached."""

    @property
    def level(self) -> float:
        """Of one treatment's primary metric: alpha shared by all that there are."""
        return self.alpha / self.treatments

    @property
    def one_sided(self) -> float:
        """Of a margin: all of them must hold, so their number corrects nothing."""
        return min(self.alpha, MOST_ONE_SIDED)

    @property
    def harm(self) -> float:
        """Of one treatment's harm: shared by treatments, each of which would pause the test.

        Not by guardrails: a missed harm costs users.
        """
        return min(self.level, MOST_ONE_SIDED)


def plan(state: TestState, variant: str, *, ended: bool) -> Plan:
    """N* is the share of the planned units that the first weights promise these two variants."""
    config = state.config
    treatments = len(config.variants) - 1
    if config.planned_units is None:
        return Plan(config.alpha, treatments, PLANNED_UNITS, hybrid=False, ended=False)
    share = sum(weight for key, weight in _weights(state) if key in (config.control.key, variant))
    n_star = config.planned_units * min(1.0, share)
    return Plan(config.alpha, treatments, n_star, hybrid=True, ended=ended)


def design(config: ExperimentConfig, n_star: float) -> Design:
    """The same for `shared.experiments.progress`."""
    return Design(
        alpha=config.alpha,
        power=config.power,
        treatments=len(config.variants) - 1,
        guardrails=sum(metric.role == "guardrail" for metric in config.metrics),
        mode=Mode.ALWAYS_VALID if config.planned_units is None else Mode.HYBRID,
        planned=n_star,
    )


def live(state: TestState) -> list[str]:
    """Treatments that still get units: one that was taken out holds nothing up."""
    control = state.config.control.key
    latest = dict(_weights(state, -1))
    return [key for key in state.config.weights if key != control and latest.get(key, 0) > 0]


def is_planned_end(state: TestState) -> bool:
    """Whether all variants together have their planned units."""
    planned = state.config.planned_units
    return planned is not None and measured(state) >= planned


def measured(state: TestState) -> int:
    """Units of which something was measured.

    Those that were only exposed say nothing yet: an agent may ask for all its users' variants
    before the first of them does anything.
    """
    return sum(max((one.n for one in arm.sums.values()), default=0) for arm in state.arms.values())


def _weights(state: TestState, at: int = 0) -> list[tuple[str, float]]:
    if not state.epochs:
        return list(state.config.weights.items())
    return [(one.variant, one.weight) for one in state.epochs[at].weights]
