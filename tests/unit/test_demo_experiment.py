"""What the demo says of its A/B test, and when that is a mismatch."""

from typing import Any

import pytest

from deploy.demo.experiment import Arm, DemoExperiment
from deploy.demo.summary import Summary
from deploy.local.stack import Addresses
from deploy.system import Running

SERVED = {"bayes": Arm(240, 9_600, 0.875), "logistic": Arm(260, 10_400, 0.9375)}


def answered(units: int = 260, accuracy: float | None = 0.9375, twice: int = 0) -> dict[str, Any]:
    """Results as the gateway answers them, as far as the demo reads them."""
    found = {"bayes": SERVED["bayes"], "logistic": Arm(units, 10_400, accuracy)}
    return {
        "verdict": "SHIP",
        "recommendation": "Ship logistic.",
        "multiple_exposures": {"units": twice},
        "variants": [
            {
                "key": key,
                "units": arm.users,
                "operations": arm.operations,
                "metrics": {"accurate": {"value": arm.accuracy}},
            }
            for key, arm in found.items()
        ],
    }


def reported(answer: dict[str, Any] | None) -> Summary:
    """The demo's summary after such an answer, or none at all."""
    addresses = Addresses(kafka={}, postgres_dsn="", redis_url="", own_broker=True)
    experiment = DemoExperiment(
        Running("http://gateway", addresses, "key", "demo", "ai.", False, "")
    )
    experiment.test_id = "t-1"
    if answer is not None:
        experiment.read(answer)
    summary = Summary()
    experiment.report(summary, SERVED)
    return summary


def test_a_test_that_counted_everybody_is_no_mismatch() -> None:
    summary = reported(answered())
    assert (summary.mismatches, summary.experiments) == (0, {"t-1": "SHIP"})
    assert "A/B test: SHIP: Ship logistic." in summary.as_text()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(answered(units=259), id="a user is missing"),
        pytest.param(answered(units=261), id="a user too many"),
        pytest.param(answered(accuracy=0.9374), id="a judgement is missing"),
        pytest.param(answered(accuracy=None), id="no judgement came"),
        pytest.param(answered(twice=1), id="a user was seen in both"),
    ],
)
def test_a_test_that_counted_otherwise_is_a_mismatch(answer: dict[str, Any]) -> None:
    assert reported(answer).mismatches == 1


def test_a_test_without_results_is_a_mismatch_of_each_variant() -> None:
    summary = reported(None)
    assert (summary.mismatches, summary.experiments) == (2, {"t-1": "COLLECTING"})
