"""The numbers of a comparison: signs, widths, scales, families, epochs."""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.abtest.domain import phases
from shared.experiments import estimators, one_sided, sequential
from shared.experiments.estimators import Difference
from shared.experiments.results import ComparisonResult
from tests.support.abtests import arm, cost, epochs, look, mean, row, share, state, successes
from tests.support.experiments import config, weighted

PRIMARY = {"name": "success_rate", "role": "primary"}
UNITS = st.integers(120, 5_000)
RATES = st.floats(0.2, 0.8)


def of(a: tuple[int, float], b: tuple[int, float], **changes: Any) -> ComparisonResult:
    """Of a split by these very units, so that it is as promised."""
    whole = a[0] + b[0]
    split = epochs({"a": a[0] / whole, "b": 1 - a[0] / whole})
    return row(look(successes(a, b, epochs=split, **changes))[0])


@settings(max_examples=40)
@given(UNITS, UNITS, RATES, RATES)
def test_variants_that_change_places_change_signs(na: int, nb: int, pa: float, pb: float) -> None:
    one, other = of((na, pa), (nb, pb)), of((nb, pb), (na, pa))
    assert one.difference == pytest.approx(-(other.difference or 0), abs=1e-12)
    assert one.low == pytest.approx(-(other.high or 0), abs=1e-12)
    assert one.p_value == pytest.approx(other.p_value)


@settings(max_examples=40)
@given(UNITS, st.integers(2, 8), RATES, RATES)
def test_more_of_the_same_units_never_widen(units: int, times: int, pa: float, pb: float) -> None:
    pair = [(share(units, p), share(units, p)) for p in (pa, pb)]
    few = of((units, pa), (units, pb))
    more_arms = {
        key: arm(units * times, {"success_rate": type(sums)(*[x * times for x in sums])})
        for key, (sums, _) in zip("ab", pair, strict=True)
    }
    more = row(look(state(more_arms))[0])
    assert few.high is not None
    assert few.low is not None
    assert more.high is not None
    assert more.low is not None
    assert more.high - more.low < few.high - few.low
    assert (more.se or 1) < (few.se or 0)


@settings(max_examples=30)
@given(st.integers(2, 1_000), st.floats(0.001, 0.01))
def test_money_in_another_unit_is_the_same_result(times: int, usd: float) -> None:
    dollars = config(metrics=[{"name": "cost_usd", "role": "primary"}])
    found = []
    for scale in (1, times):
        sums = {key: cost(400, usd * more * scale) for key, more in (("a", 1), ("b", 1.1))}
        held = state({key: arm(400, {"cost_usd": one}) for key, one in sums.items()}, dollars)
        found.append(row(look(held)[0], "cost_usd"))
    one, other = found
    assert other.difference == pytest.approx(times * (one.difference or 0), rel=1e-4)
    assert other.relative == pytest.approx(one.relative, rel=1e-4)
    assert other.p_value == pytest.approx(one.p_value, rel=1e-2, abs=1e-9)


class TestMethods:
    """Which interval, at which level."""

    def test_always_valid_unless_units_are_planned(self) -> None:
        found = of((1_000, 0.8), (1_000, 0.82))
        reach = sequential.critical(2_000, 5_000, 0.05)
        assert (found.method, found.n_star) == ("always_valid", 5_000)
        assert found.high == pytest.approx((found.difference or 0) + reach * (found.se or 0))
        assert found.fixed.high is not None
        assert found.fixed.high < (found.high or 0)

    def test_planned_units_are_those_of_all_variants(self) -> None:
        three = config(variants=weighted(a=0.5, b=0.25, c=0.25), planned_units=8_000)
        arms = {
            key: arm(n, {"success_rate": share(n, 0.8)})
            for key, n in (("a", 1_000), ("b", 500), ("c", 500))
        }
        found = row(look(state(arms, three))[0])
        assert (found.method, found.n_star) == ("hybrid", 6_000)
        reach = sequential.critical(1_500, 6_000, 0.05 / 2 / 2)
        assert found.high == pytest.approx((found.difference or 0) + reach * (found.se or 0))

    def test_the_primary_is_held_by_holm_and_the_others_by_benjamini_hochberg(self) -> None:
        metrics = [PRIMARY, {"name": "cost_usd", "role": "secondary"}]
        three = config(variants=weighted(a=0.4, b=0.3, c=0.3), metrics=metrics)
        arms = {
            key: arm(n, {"success_rate": share(n, p), "cost_usd": cost(n, usd)})
            for key, n, p, usd in (
                ("a", 400, 0.8, 0.002),
                ("b", 300, 0.93, 0.0023),
                ("c", 300, 0.89, 0.0021),
            )
        }
        answer, _ = look(state(arms, three))
        b, c = row(answer), row(answer, variant="c")
        assert b.p_adjusted == pytest.approx(2 * (b.p_value or 0))
        assert c.p_adjusted == pytest.approx(max(c.p_value or 0, b.p_adjusted or 0))
        dear, less = row(answer, "cost_usd"), row(answer, "cost_usd", "c")
        assert dear.p_adjusted == pytest.approx(min(2 * (dear.p_value or 0), less.p_value or 0))

    def test_a_guardrail_is_one_sided_at_this_look(self) -> None:
        metrics = [PRIMARY, {"name": "response_time_ms", "role": "guardrail"}]
        arms = {
            key: arm(
                2_000,
                {
                    "success_rate": share(2_000, 0.8),
                    "response_time_ms": mean(2_000, math.log(ms), 0.4),
                },
            )
            for key, ms in (("a", 800), ("b", 860))
        }
        found = row(look(state(arms, config(metrics=metrics)))[0], "response_time_ms")
        z = (found.difference or 0) / (found.se or 1)
        assert found.p_adjusted == pytest.approx(math.exp(one_sided.log_p(z, 4_000)))
        assert (found.unit, found.harmed, found.non_inferior) == ("ln", True, False)
        assert found.relative == pytest.approx(860 / 800 - 1, rel=1e-4)

    @pytest.mark.parametrize(
        ("metric", "ms", "holds"),
        [
            ({"margin": 0.1, "relative": True}, 860, True),
            ({"margin": 0.05, "relative": True}, 860, False),
            ({"margin": 100.0}, 860, True),
            ({"margin": 50.0}, 860, False),
            ({"margin": 0.0}, 797, False),
            ({"margin": 0.0}, 700, True),
            ({"direction": "increase", "margin": 0.1, "relative": True}, 780, True),
            ({"direction": "increase", "margin": 2.0, "relative": True}, 500, True),
        ],
    )
    def test_margins_of_response_times_are_shares_or_milliseconds(
        self, metric: dict[str, Any], ms: float, holds: bool
    ) -> None:
        guard = {"name": "response_time_ms", "role": "guardrail"} | metric
        arms = {
            key: arm(
                20_000,
                {
                    "success_rate": share(20_000, 0.8),
                    "response_time_ms": mean(20_000, math.log(of_key), 0.4),
                },
            )
            for key, of_key in (("a", 800), ("b", ms))
        }
        found = row(look(state(arms, config(metrics=[PRIMARY, guard])))[0], "response_time_ms")
        assert found.non_inferior == holds

    def test_percentiles_stand_beside_and_never_decide(self) -> None:
        metrics = [{"name": "response_time_ms", "role": "primary"}]
        times = [{300 + n % 7: 50 + n, 330: 40, 350: 9 + n % 3, 370: 2 + n % 2} for n in range(20)]
        slow = [{key + 10: count for key, count in one.items()} for one in times]
        arms = {
            key: arm(1_000, {"response_time_ms": mean(1_000, 6.5, 0.4)}, sketches=of_key)
            for key, of_key in (("a", times), ("b", slow))
        }
        answer, _ = look(state(arms, config(metrics=metrics)))
        found = row(answer, "response_time_ms.p95")
        assert (found.method, found.role, found.decisive) == ("quantile", "secondary", False)
        assert found.relative == pytest.approx((1.01 / 0.99) ** 10 - 1, rel=0.02)
        assert found.unmet == "for one look at the planned end only"


class TestEpochs:
    """Never pooled."""

    def test_weights_that_change_make_no_effect(self) -> None:
        """Both variants at 80 % early and 90 % late; pooled, b would be 3 points worse."""
        split = epochs({"a": 0.5, "b": 0.5}, {"a": 0.9, "b": 0.1})
        arms = {
            (1, "a"): arm(1_000, {"success_rate": share(1_000, 0.8)}),
            (1, "b"): arm(1_000, {"success_rate": share(1_000, 0.8)}),
            (2, "a"): arm(3_600, {"success_rate": share(3_600, 0.9)}),
            (2, "b"): arm(400, {"success_rate": share(400, 0.9)}),
        }
        answer, _ = look(state(arms, epochs=split))
        found = row(answer)
        assert found.difference == pytest.approx(0, abs=1e-12)
        assert not answer.srm.broken
        assert answer.srm.expected == pytest.approx({"a": 4_600, "b": 1_400})
        values = [one.metrics["success_rate"].value for one in answer.variants]
        assert values == pytest.approx([(2 * 0.8 + 4 * 0.9) / 6] * 2)

    def test_the_combination_is_by_units(self) -> None:
        diffs = [estimators.difference(*map(estimators.binary, pair)) for pair in (
            (share(500, 0.8), share(500, 0.85)), (share(1_000, 0.6), share(500, 0.5)),
        )]  # fmt: skip
        one, other = diffs
        assert isinstance(one, Difference)
        assert isinstance(other, Difference)
        found = phases.combined([phases.Phase(1_000, one), phases.Phase(1_500, other)])
        assert found.effect == pytest.approx(0.4 * 0.05 + 0.6 * -0.1)
        assert found.se == pytest.approx(math.hypot(0.4 * one.se, 0.6 * other.se))
        assert min(one.df, other.df) < found.df < one.df + other.df
        assert found.units == 2_500

    def test_an_epoch_joins_once_both_variants_have_ten_units(self) -> None:
        split = epochs({"a": 0.5, "b": 0.5}, {"a": 0.5, "b": 0.5})
        arms = {(1, key): arm(500, {"success_rate": share(500, 0.8)}) for key in "ab"}
        few = {(2, key): arm(9, {"success_rate": share(9, 0.0)}) for key in "ab"}
        alone = row(look(state(arms, epochs=split))[0])
        assert row(look(state(arms | few, epochs=split))[0]).se == alone.se


def test_the_same_states_give_the_same_bits() -> None:
    """Replayed, and with the memory carried through JSON between looks."""
    metrics = [
        PRIMARY,
        {"name": "response_time_ms", "role": "guardrail"},
        {"name": "cost_usd", "role": "secondary"},
    ]
    settings_ = config(metrics=metrics, planned_units=6_000)
    states = [
        state(
            {
                key: arm(
                    n,
                    {
                        "success_rate": share(n, p + n / 1e5),
                        "response_time_ms": mean(n, 6.5 + p / 10, 0.4),
                        "cost_usd": cost(n, 0.002 * p),
                    },
                )
                for key, p in (("a", 0.8), ("b", 0.83))
            },
            settings_,
        )
        for n in (50, 200, 1_000, 2_900, 3_100, 5_000)
    ]

    def replay(through_json: bool) -> list[str]:
        said = []
        _, memory = look(state({}, settings_))
        for held in states:
            answer, memory = look(held, memory)
            if through_json:
                memory = type(memory).model_validate_json(memory.model_dump_json())
            said += [answer.model_dump_json(), memory.model_dump_json()]
        return said

    first = replay(False)
    assert first == replay(False) == replay(True)
