"""Results of an A/B test as they are answered, also before there are any."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from services.gateway.domain.experiments import Seen
from shared.experiments.config import ExperimentConfig
from shared.experiments.lifecycle import State
from shared.experiments.results import (
    MultipleExposures,
    ResultsAnswer,
    SplitResult,
    ValueResult,
    VariantResult,
)

NOTHING_YET: Final[Mapping[State, str]] = {
    State.DRAFT: "The test has not begun: start it, and results come with the first units.",
    State.RUNNING: "Too early: nothing has been computed yet; results come within seconds of the "
    "first units.",
    State.PAUSED: "The test is paused, and nothing was counted before; start makes it go on.",
    State.STOPPED: "The test was stopped before anything was counted.",
    State.CONCLUDED: "The test was concluded before anything was counted.",
}
NO_FORMULA = "none"


def results_view(seen: Seen, now: datetime) -> dict[str, Any]:
    """What was computed last, in the state of now; before the first time, that it is too early."""
    test = seen.test
    if seen.body is not None:
        return {**seen.body, "test_id": str(test.test_id), "state": test.state}
    nothing = ResultsAnswer(
        test_id=test.test_id,
        state=test.state,
        verdict="COLLECTING",
        winner=None,
        recommendation=NOTHING_YET[test.state],
        days_left=None,
        warnings=(),
        srm=_nobody(test.config),
        variants=_nothing(test.config),
        comparisons=(),
        multiple_exposures=MultipleExposures(units=0, share=0.0),
        as_of=now,
        formula_version=NO_FORMULA,
    )
    return nothing.model_dump(mode="json")


def _nobody(config: ExperimentConfig) -> SplitResult:
    """Of no units, none are missing."""
    none = dict.fromkeys(config.weights, 0)
    return SplitResult(
        p_value=1.0,
        one_look_p_value=1.0,
        expected=dict.fromkeys(none, 0.0),
        observed=none,
        broken=False,
    )


def _nothing(config: ExperimentConfig) -> tuple[VariantResult, ...]:
    metrics = {one.name: ValueResult(value=None, low=None, high=None) for one in config.metrics}
    return tuple(
        VariantResult(key=one.key, units=0, operations=0, metrics=dict(metrics))
        for one in config.variants
    )
