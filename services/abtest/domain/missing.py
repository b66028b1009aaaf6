"""What a comparison still lacks, in words."""

from typing import Final

from services.abtest.domain.gates import Gate, Unmet
from services.abtest.domain.state import TestState
from services.abtest.domain.wording import OUTCOMES
from shared.experiments.metrics import MetricName

YES: Final[dict[MetricName, tuple[str, str]]] = {
    "success_rate": ("successes", "failures"),
    "share_slower_than_slo": ("slow answers", "answers in time"),
}
FOR_ONE_LOOK = "for one look at the planned end only"


def missing_of(state: TestState, metric: MetricName, unmet: Unmet | None) -> str | None:
    """A gate that is not met, with its numbers."""
    if unmet is None:
        return None
    units, variant = people(state), unmet.variant
    have = f"{unmet.have:,.0f} of {unmet.need:,.0f}"
    return {
        Gate.UNITS: f"{have} {units} in {variant}{_with(metric)}",
        Gate.RARER_KIND: f"{have} {_kind(metric, unmet.kind)} seen",
        Gate.EACH_KIND: f"{have} {_kind(metric, unmet.kind)} in {variant}",
        Gate.DOMINATED: f"a few {units} of {variant} weigh as if {only(unmet.have)} took part",
        Gate.RUNTIME: f"it ran {unmet.have / 24:.1f} of {unmet.need / 24:.3g} days",
        Gate.FIXED_HORIZON: FOR_ONE_LOOK,
    }[unmet.gate]


def people(state: TestState) -> str:
    """What units are called."""
    return "users" if state.config.unit == "user_id" else "sessions"


def only(units: float) -> str:
    """As how many equal units those of a variant count."""
    return f"only {max(1, round(units))}"


def _with(metric: MetricName) -> str:
    return "" if metric == "success_rate" else f" with {OUTCOMES[metric]}"


def _kind(metric: MetricName, kind: str) -> str:
    yes, no = YES.get(metric, ("yes", "no"))
    if metric in YES:
        return yes if kind == "yes" else no
    return f"answers of {'yes' if kind == 'yes' else 'no'}"
