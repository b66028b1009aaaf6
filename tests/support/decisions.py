"""How often verdicts are wrong: whole simulated tests, each look answered by `results`.

As in `tests.support.validity`: a number of runs and a seed go in, shares of runs come out.
"""

import math
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.stats import binom

from services.abtest.domain.memory import NOTHING
from services.abtest.domain.phases import Phase, combined
from services.abtest.domain.results import results
from services.abtest.domain.state import ArmKey, ArmState, TestState
from shared.experiments import estimators, fixed, sequential
from shared.experiments.config import ExperimentConfig
from shared.experiments.estimators import Difference, Estimated
from shared.experiments.metrics import MetricName
from shared.experiments.moments import Moments
from shared.measures.intervals import share as interval_of_share
from tests.support.abtests import NOON, epochs, state
from tests.support.chance import DAYS, lognormal, ratings, sums_at, users
from tests.support.experiments import config
from tests.support.validity import Shares

GUARDED = [
    {"name": "success_rate", "role": "primary"},
    {"name": "response_time_ms", "role": "guardrail"},
    {"name": "rating", "role": "guardrail"},
    {"name": "tokens", "role": "guardrail"},
]
HEAVY_SHARE = 0.9


class World(NamedTuple):
    """What is simulated: `effect` moves b's success rate, `loss` is the share of b's units lost."""

    effect: float = 0.0
    loss: float = 0.0
    slower: float = 0.0
    units: int = 20_000
    planned: int | None = 20_000
    guarded: bool = True
    unrated: float = 0.3
    primary: MetricName = "success_rate"


def verdicts(runs: int, seed: int, world: World) -> Shares:
    """V5, V9: 28 daily looks; shares of runs that ever had each verdict, and that ended with it."""
    chance = np.random.default_rng(seed)
    metrics = [
        one | {"role": "primary" if one["name"] == world.primary else "guardrail"}
        for one in (GUARDED if world.guarded else GUARDED[:1])
    ]
    settings = config(metrics=metrics, planned_units=world.planned)
    found: Counter[str] = Counter({"SHIP": 0, "STOP_HARM": 0, "BROKEN": 0})
    for _ in range(runs):
        seen, last = _life(chance, settings, world)
        found.update(seen)
        found[f"at the end {last}"] += 1
    return {name: count / runs for name, count in sorted(found.items())}


def changed_weights(runs: int, seed: int, *, units: int = 10_000, looks: int = 50) -> Shares:
    """V1 over two epochs, 0.5/0.5 and then 0.9/0.1, while the success rate rises by 5 points.

    Pooled over epochs the same data show a difference that is none.
    """
    chance = np.random.default_rng(seed)
    at = np.linspace(units / looks, units, looks).astype(np.int64)
    decided: Counter[str] = Counter({"always valid": 0, "pooled": 0})
    for _ in range(runs):
        early = np.arange(units) < units // 4
        b = chance.random(units) < np.where(early, 0.5, 0.1)
        yes = chance.random(units) < np.where(early, 0.85, 0.9)
        parts = {
            (epoch, arm): _cumulated(yes, (early == (epoch == 1)) & (b == arm), at)
            for epoch in (1, 2)
            for arm in (False, True)
        }
        hit, wrong = False, False
        for look in range(looks):
            arms = {key: sums[look] for key, sums in parts.items()}
            if min(arms[1, False].n, arms[1, True].n) < 100:
                continue
            by_epoch = [
                _binary(arms[epoch, False], arms[epoch, True])
                for epoch in (1, 2)
                if min(arms[epoch, False].n, arms[epoch, True].n) >= 10
            ]
            diff = combined([Phase(one.units, one) for one in by_epoch])
            hit = hit or sequential.compare(diff, units).excludes_zero
            both = [_added(arms[1, arm], arms[2, arm]) for arm in (False, True)]
            wrong = wrong or sequential.compare(_binary(*both), units).excludes_zero
        decided["always valid"] += hit
        decided["pooled"] += wrong
    return {name: count / runs for name, count in decided.items()}


def dominated(runs: int, seed: int, *, units: int = 200) -> Shares:
    """One user of each arm with 90 % of its operations, rates of users' own, one fixed look."""
    chance = np.random.default_rng(seed)
    rejected = 0
    for _ in range(runs):
        arms = []
        for _ in range(2):
            rates = 1 / (1 + np.exp(-chance.normal(1.5, 1.0, units)))
            d = np.full(units, 10)
            d[0] = round(10 * (units - 1) * HEAVY_SHARE / (1 - HEAVY_SHARE))
            m = chance.binomial(d, rates)
            arms.append(_moments(m, d))
        rejected += fixed.compare(_difference(*map(estimators.rate, arms))).excludes_zero
    return {"fixed, once": rejected / runs}


def coverage(runs: int, seed: int) -> Shares:
    """V4: shares of runs whose interval held the truth."""
    chance = np.random.default_rng(seed)
    found: dict[str, float] = {}
    for n in (20, 50, 200, 1_000):
        for p in (0.5, 0.9, 0.98):
            chances = binom.pmf(range(n + 1), n, p)
            inside = [_holds(interval_of_share(k, n), p) for k in range(n + 1)]
            found[f"rate {p} of {n}"] = float(np.dot(chances, inside))  # exactly, without runs
    for n in (20, 50):
        found[f"ratio of {n} users"] = _ratio_coverage(chance, runs, n)
    for n in (10, 30):
        found[f"mean of {n} normal"] = _mean_coverage(chance.normal(5, 2, (2, runs, n)))
        logs = np.log(lognormal(1.5)(chance, (2, runs, n)))
        found[f"mean ln of {n} lognormal"] = _mean_coverage(logs)
    found["raw mean of 30 lognormal 1.5, one arm"] = _raw_coverage(chance, runs)
    return found


def _life(chance: Generator, settings: ExperimentConfig, world: World) -> tuple[set[str], str]:
    """One test through its days: every verdict that it had, and its last."""
    memory, seen, last = NOTHING, set[str](), ""
    for day, arms in enumerate(_days(chance, world), 1):
        held = _state(settings, arms, day)
        answer, memory = results(held, memory, NOON + timedelta(days=day))
        seen.add(answer.verdict)
        last = answer.verdict
    return seen, last


def _days(chance: Generator, world: World) -> list[dict[str, ArmState]]:
    n = world.units
    b = chance.random(n) < 0.5
    kept = ~(b & (chance.random(n) < world.loss))
    columns: dict[MetricName, NDArray[Any]] = {
        "success_rate": chance.random(n) < 0.9 + world.effect * b
    }
    has = {"success_rate": np.ones(n, dtype=bool)}
    if world.guarded:
        columns["response_time_ms"] = np.rint(
            1e6 * (chance.normal(6.5, 0.4, n) + world.slower * b)
        ).astype(np.int64)
        columns["rating"] = (ratings(chance, (n,)) * 1e6).astype(np.int64)
        columns["tokens"] = np.rint(chance.gamma(4, 200, n)).astype(np.int64)
        has |= {name: np.ones(n, dtype=bool) for name in ("response_time_ms", "tokens")}
        has["rating"] = chance.random(n) > world.unrated
    at = np.linspace(n / DAYS, n, DAYS).astype(np.int64)
    by_arm: dict[str, list[dict[MetricName, Moments]]] = {}
    units: dict[str, list[int]] = {}
    for key, of_arm in (("a", ~b & kept), ("b", b & kept)):
        sums = {
            name: _cumulated(column, of_arm & has[name], at) for name, column in columns.items()
        }
        by_arm[key] = [{name: one[look] for name, one in sums.items()} for look in range(DAYS)]
        units[key] = np.cumsum(of_arm)[at - 1].tolist()
    return [
        {
            key: ArmState(units[key][look], units[key][look], 0, by_arm[key][look], [])
            for key in ("a", "b")
        }
        for look in range(DAYS)
    ]


def _state(settings: ExperimentConfig, arms: Mapping[str, ArmState], day: int) -> TestState:
    units = sum(one.units for one in arms.values())
    return state(
        {ArmKey(1, key): one for key, one in arms.items()},
        settings,
        epochs=epochs({"a": 0.5, "b": 0.5}),
        run_hours=24.0 * day,
        last_event_at=NOON + timedelta(days=day),
        new_units={NOON.date() + timedelta(days=n): units // day for n in range(day)},
    )


def _cumulated(column: NDArray[Any], of: NDArray[np.bool_], at: NDArray[np.int64]) -> list[Moments]:
    """Sums over the units `of` an arm among the first so many, exact: squares are cut in two."""
    values = (
        np.where(of, column, 0).astype(object) if column.max() > 1e6 else np.where(of, column, 0)
    )
    if values.dtype == object:
        ints = np.where(of, column, 0).astype(np.int64)
        high, low = np.divmod(ints, 1 << 20)
        m = np.cumsum(ints)[at - 1].tolist()
        parts = [np.cumsum(one)[at - 1].tolist() for one in (high * high, high * low, low * low)]
        mm = [(hh << 40) + (hl << 21) + ll for hh, hl, ll in zip(*parts, strict=True)]
    else:
        ints = values.astype(np.int64)
        m, mm = (np.cumsum(one)[at - 1].tolist() for one in (ints, ints * ints))
    n = np.cumsum(of)[at - 1].tolist()
    return [Moments(c, x, xx, c, c, x) for c, x, xx in zip(n, m, mm, strict=True)]


def _moments(m: NDArray[np.int64], d: NDArray[np.int64]) -> Moments:
    pairs = ((m, m), (d, d), (m, d))
    mm, dd, md = (int(one @ other) for one, other in pairs)
    return Moments(len(m), int(m.sum()), mm, int(d.sum()), dd, md)


def _added(one: Moments, other: Moments) -> Moments:
    return Moments(*[x + y for x, y in zip(one, other, strict=True)])


def _binary(a: Moments, b: Moments) -> Difference:
    return _difference(estimators.binary(a), estimators.binary(b))


def _difference(a: Estimated, b: Estimated) -> Difference:
    found = estimators.difference(a, b)
    assert isinstance(found, Difference)
    return found


def _holds(found: Any, truth: float) -> bool:
    return found is not None and found.low <= truth <= found.high


def _ratio_coverage(chance: Generator, runs: int, units: int) -> float:
    inside = 0
    for _ in range(runs):
        arms = [users(chance, units, heavy=False).sums(DAYS - 1) for _ in range(2)]
        found = fixed.compare(_difference(*map(estimators.rate, arms)))
        inside += not found.excludes_zero
    return inside / runs


def _mean_coverage(values: NDArray[np.float64]) -> float:
    _, runs, n = values.shape
    last = np.array([n])
    inside = 0
    for run in range(runs):
        arms = [estimators.mean(sums_at(values[arm, run], last)[0]) for arm in range(2)]
        inside += not fixed.compare(_difference(*arms)).excludes_zero
    return inside / runs


def _raw_coverage(chance: Generator, runs: int, units: int = 30) -> float:
    """For scale: Student's interval of a raw lognormal mean; this is why times are logarithms."""
    values = lognormal(1.5)(chance, (runs, units))
    half = fixed.student(0.975, units - 1) * values.std(axis=1, ddof=1) / math.sqrt(units)
    return float(np.mean(np.abs(values.mean(axis=1) - math.exp(1.5**2 / 2)) <= half))
