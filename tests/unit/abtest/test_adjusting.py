"""Differences that are adjusted by what units did before the test, and what stays as measured."""

from typing import Any

import numpy as np
import pytest
from numpy.random import Generator

from services.abtest.domain import adjusting, phases
from services.abtest.domain.adjusting import Adjustment
from services.abtest.domain.memory import Memory
from services.abtest.domain.past import Past, limit
from services.abtest.domain.rows import Limits
from services.abtest.domain.state import TestState as State
from shared.experiments import margins
from shared.experiments.answers import Undefined
from shared.experiments.cuped import UNEQUAL
from shared.experiments.estimators import Difference
from shared.experiments.metrics import MetricName
from shared.experiments.moments import Moments, Unit, of_units
from shared.measures.sketch import key_of
from tests.support.abtests import arm, epochs, look, row, state
from tests.support.experiments import config

PAST = Past(is_made=True, is_complete=True, has_units=True)
METRICS = [
    {"name": "response_time_ms", "role": "primary"},
    {"name": "cost_usd", "role": "guardrail", "margin": 0.5, "relative": True},
]


@pytest.fixture
def chance() -> Generator:
    return np.random.default_rng(3)


def times(chance: Generator, units: int, slower: float = 0.0, known: float = 1.0) -> Moments:
    """Mean ln times in micro; a unit's habit is most of it."""
    return of_units(
        Unit(
            round(1e6 * (own + slower + chance.normal(0, 0.2))),
            1,
            *(round(1e6 * (own + chance.normal(0, 0.2))), 1, 1),
        )
        if chance.random() < known
        else Unit(round(1e6 * (own + slower)), 1)
        for own in chance.normal(5, 0.8, units).tolist()
    )


def costs(chance: Generator, units: int, dearer: float = 1.0) -> Moments:
    """Nano-dollars of three operations now and of two before."""
    return of_units(
        Unit(round(3 * own * dearer * 1e6), 3, round(2 * own * 1e6), 2, 1)
        for own in chance.lognormal(0, 0.7, units).tolist()
    )


def both(chance: Generator, units: int = 400, slower: float = 0.1, **changes: Any) -> State:
    arms = {
        "a": arm(
            units, {"response_time_ms": times(chance, units), "cost_usd": costs(chance, units)}
        ),
        "b": arm(
            units,
            {
                "response_time_ms": times(chance, units, slower),
                "cost_usd": costs(chance, units, 1.2),
            },
        ),
    }
    return state(arms, config(metrics=METRICS), **({"past": PAST} | changes))


def measured(held: State, metric: MetricName) -> tuple[Difference, Difference, Adjustment]:
    """As it was measured, and adjusted."""
    plain = phases.difference(held, metric, "a", "b")
    diff, done = adjusting.difference(held, metric, "a", "b")
    assert isinstance(plain, Difference)
    assert isinstance(diff, Difference)
    assert done is not None
    return plain, diff, done


@pytest.mark.parametrize("metric", ["response_time_ms", "cost_usd"])
def test_the_past_takes_out_what_it_explains(chance: Generator, metric: MetricName) -> None:
    plain, diff, done = measured(both(chance), metric)
    assert diff.se < 0.6 * plain.se
    assert done.variance_reduction == pytest.approx(1 - (diff.se / plain.se) ** 2)
    assert done.coverage == 1.0
    assert diff.a.value == pytest.approx(plain.a.value)
    assert done.measured.control == plain.a
    assert abs(diff.effect - plain.effect) < 4 * plain.se


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"past": Past()}, id="without a past"),
        pytest.param({"past": PAST._replace(is_complete=False)}, id="not brought to all units"),
        pytest.param({"past": PAST._replace(has_units=False)}, id="limits only"),
        pytest.param({"config": config(metrics=METRICS, cuped=False)}, id="turned off"),
    ],
)
def test_what_is_not_adjusted_is_as_it_was_measured(
    chance: Generator, changes: dict[str, Any]
) -> None:
    held = both(chance)._replace(**changes)
    found = adjusting.difference(held, "response_time_ms", "a", "b")
    assert found == (phases.difference(held, "response_time_ms", "a", "b"), None)
    assert row(look(held)[0], "response_time_ms").cuped is None


def test_few_units_and_a_thin_past_are_not_adjusted(chance: Generator) -> None:
    assert adjusting.difference(both(chance, 99), "cost_usd", "a", "b")[1] is None
    thin = {
        key: arm(400, {"response_time_ms": times(chance, 400, known=0.02)}) for key in ("a", "b")
    }
    held = state(thin, config(metrics=METRICS), past=PAST)
    assert adjusting.difference(held, "response_time_ms", "a", "b")[1] is None


def test_epochs_are_adjusted_each_by_its_own(chance: Generator) -> None:
    arms = {
        (epoch, key): arm(units, {"response_time_ms": times(chance, units, slower)})
        for epoch, units in ((1, 300), (2, 50))
        for key, slower in (("a", 0.0), ("b", 0.1))
    }
    held = state(
        arms, config(metrics=METRICS), past=PAST, epochs=epochs(*[{"a": 0.5, "b": 0.5}] * 2)
    )
    plain, diff, done = measured(held, "response_time_ms")
    # The second has too few units: it is in as it was measured.
    first = held._replace(arms={key: one for key, one in held.arms.items() if key.epoch == 1})
    second = held._replace(arms={key: one for key, one in held.arms.items() if key.epoch == 2})
    _, of_first, _ = measured(first, "response_time_ms")
    of_second = phases.difference(second, "response_time_ms", "a", "b")
    assert isinstance(of_second, Difference)
    assert diff.effect == pytest.approx((600 * of_first.effect + 100 * of_second.effect) / 700)
    assert 0 < done.variance_reduction < 1
    assert diff.se < plain.se


def test_results_say_that_they_are_adjusted(chance: Generator) -> None:
    held = both(chance, past=PAST._replace(limits=Limits(cost=2_500_000_000)))
    answer, _ = look(held)
    time, cost = row(answer, "response_time_ms"), row(answer, "cost_usd")
    assert time.cuped is not None
    assert time.cuped.variance_reduction > 0.5
    assert time.winsorised_at is None
    assert cost.winsorised_at == 2.5
    assert cost.relative is not None
    assert row(answer, "response_time_ms.p95").cuped is None
    plain = row(look(held._replace(past=Past()))[0], "response_time_ms")
    assert time.se is not None
    assert plain.se is not None
    assert time.se < plain.se


def test_what_is_frozen_says_how_it_was_adjusted(chance: Generator) -> None:
    good = [METRICS[0] | {"direction": "increase"}, *METRICS[1:]]  # no harm to tell of later
    held = both(chance)._replace(config=config(metrics=good, planned_units=700))
    first, memory = look(held)
    memory = Memory.model_validate_json(memory.model_dump_json())
    assert memory.ended
    later = held._replace(arms=both(chance, 900).arms)
    second, _ = look(later, memory)
    names = ("difference", "se", "cuped")
    for name in names:
        one, other = (getattr(row(said, "response_time_ms"), name) for said in (first, second))
        assert one == other


def test_covariates_that_differ_are_warned_of(chance: Generator) -> None:
    held = both(chance)
    slow = of_units(
        Unit(5_000_000 + n, 1, 9_000_000 + n * 1_000, 1, 1)
        for n in chance.permutation(400).tolist()
    )
    arms = dict(held.arms)
    key = next(one for one in arms if one.variant == "b")
    arms[key] = arms[key]._replace(sums={**arms[key].sums, "response_time_ms": slow})
    answer, _ = look(held._replace(arms=arms))
    assert [one for one in answer.warnings if UNEQUAL in one and "response time of b" in one]
    assert not [one for one in look(held)[0].warnings if UNEQUAL in one]


def test_a_variant_that_costs_as_much_as_the_limit_is_warned_of(chance: Generator) -> None:
    held = both(chance)
    usual = phases.value(held, "cost_usd", "b")
    assert not isinstance(usual, Undefined)
    near = PAST._replace(limits=Limits(cost=round(1.2e9 * usual.value)))
    said = look(held._replace(past=near))[0].warnings
    assert [one for one in said if one.startswith("cost per operation of b may be more")]
    far = PAST._replace(limits=Limits(cost=round(50e9 * usual.value)))
    assert not [one for one in look(held._replace(past=far))[0].warnings if "may be more" in one]


@pytest.mark.parametrize("dearer", [0.5, 1.0, 1.2])
@pytest.mark.parametrize("higher", [True, False])
def test_a_margin_moves_with_the_control_as_it_was_measured(
    chance: Generator, dearer: float, *, higher: bool
) -> None:
    """The contrast of simulated tests spreads as its error says."""
    contrasts, errors = [], []
    for _ in range(400):
        sums = {"a": costs(chance, 120), "b": costs(chance, 120, dearer)}
        arms = {key: arm(120, {"cost_usd": one}) for key, one in sums.items()}
        held = state(arms, config(metrics=METRICS), past=PAST)
        _, diff, done = measured(held, "cost_usd")
        found = margins.non_inferior(
            diff, 1.0, higher_is_better=higher, margin=0.5, measured=done.measured
        )
        assert not isinstance(found, Undefined)
        assert found.bound is not None
        contrasts.append(found.contrast)
        errors.append(found.contrast - found.bound)
    assert np.std(contrasts) == pytest.approx(np.sqrt(np.mean(np.square(errors))), rel=0.12)


def test_a_margin_without_any_adjustment_is_the_same_either_way(chance: Generator) -> None:
    plain = phases.difference(both(chance), "cost_usd", "a", "b")
    assert isinstance(plain, Difference)
    same = margins.Measured(plain.a, plain.a.squared_error)
    for higher in (True, False):
        one = margins.non_inferior(plain, 2.0, higher_is_better=higher, margin=0.1)
        other = margins.non_inferior(plain, 2.0, higher_is_better=higher, margin=0.1, measured=same)
        assert not isinstance(one, Undefined)
        assert not isinstance(other, Undefined)
        assert other.bound == pytest.approx(one.bound)


def test_ratings_as_an_order_stand_beside_their_mean() -> None:
    metrics = [{"name": "rating", "role": "primary"}]
    arms = {
        key: arm(
            sum(counts),
            {
                "rating": of_units(
                    Unit(r * 10**6, 1) for r, n in enumerate(counts, 1) for _ in range(n)
                )
            },
            ratings=counts,
        )
        for key, counts in {"a": [40, 30, 20, 20, 10], "b": [10, 20, 20, 30, 40]}.items()
    }
    held = state(arms, config(metrics=metrics))
    found = row(look(held)[0], "rating").sensitivity
    assert found is not None
    assert found.p_better == pytest.approx(0.72917, abs=1e-4)
    assert found.p_value < 0.001
    lost = {key: one._replace(ratings=[1, 0, 0, 0, 0]) for key, one in held.arms.items()}
    assert row(look(held._replace(arms=lost))[0], "rating").sensitivity is None


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([5] * 999, None, id="too few values"),
        pytest.param([0] * 2_000, None, id="all free: what costs must not count as nothing"),
        pytest.param([100] * 5_000 + [10**9], 100, id="one outlier"),
    ],
)
def test_limits(values: list[int], expected: int | None) -> None:
    bins: dict[int, int] = {}
    for value in values:
        bins[key_of(value)] = bins.get(key_of(value), 0) + 1
    found = limit(bins)
    assert found == (expected if expected is None else pytest.approx(expected, rel=0.02))
