"""Numbers that other libraries computed: gbstats, statsmodels, tea-tasting, ssrm-test, ddsketch."""

import json
import math
from collections import Counter
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest

from shared.experiments import (
    cuped,
    estimators,
    fixed,
    multiplicity,
    ordinal,
    planner,
    relative,
    sequential,
    spread,
    srm,
)
from shared.experiments.answers import Comparison
from shared.experiments.design import Design
from shared.experiments.estimators import Arm, Difference
from shared.experiments.moments import Moments, Unit, folded, of_units
from shared.measures import intervals, sketch

FILE = Path(__file__).parents[4] / "shared" / "data" / "statistics" / "vectors.json"
CASES: list[dict[str, Any]] = json.loads(FILE.read_text()) if FILE.exists() else []
Answer = dict[str, Any]


def difference(a: Any, b: Any) -> Difference:
    found = estimators.difference(a, b)
    assert isinstance(found, Difference)
    return found


def sums(of: dict[str, Any]) -> Moments:
    """One number a unit, or a numerator over a denominator."""
    if "sum" in of:
        n, m = of["n"], of["sum"]
        return Moments(n, m, of.get("sum_squares", m), n, n, m)
    return Moments(
        of["n"],
        of["num_sum"],
        of["num_sum_squares"],
        of["den_sum"],
        of["den_sum_squares"],
        of["num_den_sum_products"],
    )


def told(diff: Difference, found: Comparison) -> Answer:
    ci = None if found.low is None else [found.low, found.high]
    return {"effect": found.effect, "ci": ci, "p_value": found.p, "std_error": diff.se}


def fixed_of(estimate: Callable[[Moments], Any], inputs: dict[str, Any]) -> Answer:
    diff = difference(estimate(sums(inputs["a"])), estimate(sums(inputs["b"])))
    found = fixed.compare(diff, inputs["alpha"])
    return {**told(diff, found), "reason": found.reason}


def mean_fixed(inputs: dict[str, Any]) -> Answer:
    return fixed_of(estimators.mean, inputs)


def ratio_fixed(inputs: dict[str, Any]) -> Answer:
    return fixed_of(estimators.ratio, inputs)


def proportion_fixed(inputs: dict[str, Any]) -> Answer:
    """The symmetric relative interval is not ours: from our two arms, as the peer does it."""
    diff = difference(estimators.binary(sums(inputs["a"])), estimators.binary(sums(inputs["b"])))
    a, b = diff.a, diff.b
    se = math.sqrt(b.squared_error / a.value**2 + a.squared_error * b.value**2 / a.value**4)
    symmetric = Difference(diff.effect / a.value, se, diff.df, a, b)
    return told(symmetric, fixed.compare(symmetric, inputs["alpha"]))


def cuped_fixed(inputs: dict[str, Any]) -> Answer:
    arms = [
        Moments(
            of["n"],
            m=of["post_sum"],
            mm=of["post_sum_squares"],
            x=of["pre_sum"],
            xx=of["pre_sum_squares"],
            mx=of["post_pre_sum_products"],
            h=of["n"],
        )
        for of in (inputs["a"], inputs["b"])
    ]
    adjusted = cuped.mean(*arms)
    assert isinstance(adjusted, cuped.Adjusted)
    diff = difference(adjusted.a, adjusted.b)
    return {**told(diff, fixed.compare(diff, inputs["alpha"])), "theta": adjusted.theta[0]}


def mean_sequential(inputs: dict[str, Any]) -> Answer:
    diff = difference(estimators.mean(sums(inputs["a"])), estimators.mean(sums(inputs["b"])))
    planned, alpha = inputs["tuning_n"], inputs["alpha"]
    rho = math.sqrt(sequential.tuning(planned, alpha))
    return {**told(diff, sequential.compare(diff, planned, alpha)), "rho": rho}


def ratio_logratio(inputs: dict[str, Any]) -> Answer:
    diff = difference(estimators.ratio(sums(inputs["a"])), estimators.ratio(sums(inputs["b"])))
    alpha = 1 - inputs["confidence_level"]
    found = fixed.compare(diff, alpha)
    lift = relative.lift(diff, found, alpha=alpha)
    assert isinstance(lift, relative.Lift)
    return {
        **told(diff, found),
        "a_mean": diff.a.value,
        "b_mean": diff.b.value,
        "rel_effect": lift.effect,
        "rel_ci": [lift.low, lift.high],
        "t": diff.effect / diff.se,
    }


def welch_raw(inputs: dict[str, Any]) -> Answer:
    a, b = (
        estimators.mean_of_spread(spread.of_units((x, 1.0) for x in inputs[arm]["values"]))
        for arm in "ab"
    )
    diff = difference(a, b)
    found = fixed.compare(diff, inputs["alpha"])
    return {**told(diff, found), "t": diff.effect / diff.se, "df": diff.df}


def srm_sequential(inputs: dict[str, Any]) -> Answer:
    state, answers = srm.START, []
    days = zip(*inputs["daily_users"], strict=True)
    for cumulative in zip(*(accumulate(arm) for arm in days), strict=True):
        state = srm.look(state, cumulative, inputs["weights"])
        answers.append(state.p)
    assert inputs["dirichlet_concentration"] == srm.CONCENTRATION
    return {"p_values": answers}


def counts(inputs: dict[str, Any]) -> list[fixed.Counts]:
    return [fixed.Counts(inputs[arm]["successes"], inputs[arm]["n"]) for arm in "ab"]


def pooled_z(inputs: dict[str, Any]) -> Answer:
    found = fixed.two_proportions(*counts(inputs))
    assert isinstance(found, fixed.ZTest)
    return {"z": found.z, "p_value": found.p}


def newcombe(inputs: dict[str, Any]) -> Answer:
    return {"ci": fixed.newcombe(*counts(inputs), inputs["alpha"])}


def wilson(inputs: dict[str, Any]) -> Answer:
    return {"ci": intervals.wilson(inputs["successes"], inputs["n"], 1 - inputs["alpha"])}


def adjusted_by(adjust: Callable[[list[float]], list[float]], inputs: dict[str, Any]) -> Answer:
    found = adjust(inputs["p_values"])
    return {"adjusted": found, "reject": [p <= inputs["alpha"] for p in found]}


def power_t(inputs: dict[str, Any]) -> Answer:
    design = Design(inputs["alpha"], inputs["power"], inputs["ratio"])
    units = planner.units_for_mean(planner.Variances(1, 1), inputs["effect_size_d"], design)
    return {"solved": units}


def sample_size_rate(inputs: dict[str, Any]) -> Answer:
    design = Design(inputs["alpha"], inputs["power"], inputs["ratio"])
    units = planner.units_for_rate(inputs["p_control"], inputs["absolute_mde"], design)
    return {"n_per_arm": units}


def brunner_munzel(inputs: dict[str, Any]) -> Answer:
    a, b = (inputs[arm]["counts_1_to_k"] for arm in "ab")
    found = ordinal.superiority(a, b, inputs["alpha"])
    assert isinstance(found, ordinal.Superiority)
    return {
        "prob_b_superior": found.probability,
        "ci": [found.low, found.high],
        "t": found.t,
        "df": found.df,
        "p_value": found.p,
    }


def events_to_ratio(inputs: dict[str, Any]) -> Answer:
    arms = []
    for arm in "ab":
        batch = ((user, success, 1) for user, of, success in inputs["events"] if of == arm)
        arms.append(estimators.rate(of_units(Unit(m, d) for m, d in folded(batch).values())))
    diff = difference(*arms)
    found = told(diff, fixed.compare(diff, inputs["alpha"]))
    return {
        **found,
        "a_rate": diff.a.value,
        "b_rate": diff.b.value,
        "gbstats_effect": found["effect"],
        "gbstats_ci": found["ci"],
        "gbstats_p": found["p_value"],
        "gbstats_se": found["std_error"],
    }


def sketch_quantiles(inputs: dict[str, Any]) -> Answer:
    keys = [sketch.key_of(value) for value in inputs["values"]]
    whole = sketch.quantiles(Counter(keys), inputs["quantiles"])
    for cut in range(0, len(keys), 17):
        parts = Counter(keys[:cut]) + Counter(keys[cut:])
        assert sketch.quantiles(parts, inputs["quantiles"]) == whole
    assert whole is not None
    return {f"q{at}": value for at, value in zip(inputs["quantiles"], whole, strict=True)}


CATEGORIES: dict[str, Callable[[dict[str, Any]], Answer]] = {
    "mean_fixed": mean_fixed,
    "ratio_fixed": ratio_fixed,
    "proportion_fixed": proportion_fixed,
    "ratio_fixed_logratio": ratio_logratio,
    "cuped_fixed": cuped_fixed,
    "mean_sequential": mean_sequential,
    "srm": lambda of: {"p_value": srm.one_look(of["users"], of["weights"])},
    "srm_sequential": srm_sequential,
    "two_proportion_pooled_z": pooled_z,
    "two_proportion_ci_newcomb": newcombe,
    "proportion_ci_wilson": wilson,
    "welch_raw": welch_raw,
    "multiple_holm": lambda of: adjusted_by(multiplicity.holm, of),
    "multiple_fdr_bh": lambda of: adjusted_by(multiplicity.benjamini_hochberg, of),
    "power_t": power_t,
    "sample_size_prop": sample_size_rate,
    "ordinal_brunner_munzel": brunner_munzel,
    "events_to_ratio": events_to_ratio,
    "sketch_quantiles": sketch_quantiles,
}
# Of the events: what the reading rules ignore (another method), and what must not come out.
NOT_COMPARED = {"cluster_robust_ols_se", "WRONG_event_level_se"}


@pytest.mark.skipif(not CASES, reason=f"no reference numbers: {FILE.name} is not on this machine")
def test_there_are_reference_numbers() -> None:
    assert len(CASES) == 20


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_reference_numbers(case: dict[str, Any]) -> None:
    expected = case["expected"]
    found = CATEGORIES[case["category"]](case["inputs"])  # an unknown category is a KeyError
    match case["compare"]:
        case "numeric":
            for name in expected.keys() - NOT_COMPARED:
                compare(found[name], expected[name], case, name)
            if "WRONG_event_level_se" in expected:
                wrong = expected["WRONG_event_level_se"]
                assert found["std_error"] != pytest.approx(wrong, rel=0.2)
        case "semantic":
            assert found["p_value"] == 1
            assert found["effect"] == 0
            assert found["reason"]
        case "within_relative_accuracy":
            accuracy = case["inputs"]["relative_accuracy"]
            assert found == pytest.approx(expected["sketch"], rel=1e-9)
            assert found == pytest.approx(expected["exact_lower"], rel=accuracy)
        case _:
            pytest.fail(f"no such comparison: {case['compare']}")


def compare(found: Any, expected: Any, case: dict[str, Any], name: str) -> None:
    if isinstance(expected, list):
        assert len(found) == len(expected), name
        for ours, theirs in zip(found, expected, strict=True):
            compare(ours, theirs, case, name)
    elif isinstance(expected, bool):
        assert found is expected, name
    else:
        assert abs(found - expected) <= case["atol"] + case["rtol"] * abs(expected), name


def test_the_width_of_the_always_valid_interval() -> None:
    assert sequential.critical(5_000, 5_000) == pytest.approx(3.03521, abs=5e-6)


def test_operations_of_one_user_are_not_units() -> None:
    """Twenty users, always right or always wrong: twenty facts, however often they ask."""
    users = [Unit(10 * (number % 2), 10) for number in range(20)]
    arm = estimators.rate(of_units(users))
    assert isinstance(arm, Arm)
    assert arm.squared_error == pytest.approx(0.25 / 19)
