"""What changed from one week to the next, and day by day."""

from datetime import date, datetime, timedelta

import numpy as np

from services.gateway.domain.analysis.trends import MOVING, changes, days_of, points
from tests.unit.gateway.analysis.votes import NOON, drawn, group, judged

ASPECTS = ("helpful", "accurate", "relevant", "fast")


def week(chance, name: str, **rates: float):
    metrics = {
        one: drawn(chance, rates.get(one, 0.7), 150, 80, 0.05) for one in (*ASPECTS, "negative")
    }
    given = chance.choice(5, 150, p=(0.1, 0.1, 0.2, 0.3, 0.3)) + 1
    metrics["rating"] = judged((str(n), int(one)) for n, one in enumerate(given))
    return group(name, **metrics)


def test_weeks_that_are_the_same_differ_in_fewer_than_5_percent() -> None:
    runs, told = 300, 0
    for seed in range(runs):
        chance = np.random.default_rng(seed)
        found = changes(week(chance, "before"), week(chance, "after"))
        told += any(one["significant"] for one in found.values())
    print(f"{told / runs:.1%} of weeks without a change are told to have one")
    assert told / runs <= 0.05


def test_a_planted_fall_is_told_of_its_metric_only() -> None:
    chance = np.random.default_rng(1)
    found = changes(week(chance, "before"), week(chance, "after", accurate=0.35))
    assert {name for name, one in found.items() if one["significant"]} == {"accurate"}
    fell = found["accurate"]
    assert fell["low"] <= fell["difference"] <= fell["high"] < 0
    assert fell["p_value"] <= fell["p_adjusted"] < 0.05


def test_without_enough_on_either_side_nothing_is_said() -> None:
    few = group("after", accurate=judged((str(n), 1) for n in range(24)))
    some = group("before", accurate=judged((str(n), 0) for n in range(80)))
    for pair in ((some, few), (some, None), (None, None)):
        found = changes(*pair)
        assert set(found) == set(MOVING)
        assert all(one["significant"] is None for one in found.values())
        assert all(one["difference"] is None for one in found.values())
    assert changes(some, few)["accurate"]["after"]["count"] == 24
    loud = group("after", accurate=judged((f"p{n % 4}", n % 2) for n in range(400)))
    assert changes(some, loud)["accurate"]["p_value"] is None  # four people are not many


def test_days_are_told_also_when_nobody_spoke() -> None:
    days = days_of(NOON - timedelta(days=2), NOON)
    assert days == [date(2026, 11, 18), date(2026, 11, 19), date(2026, 11, 20)]
    midnight = datetime.combine(days[2], datetime.min.time(), NOON.tzinfo)
    assert days_of(NOON - timedelta(days=2), midnight) == days[:2]
    told = group("2026-11-19", helpful=judged([("a", 1), ("b", 0)]))
    found = points("helpful", days, [told])
    assert [one["value"] for one in found] == [None, 0.5, None]
    assert [one["count"] for one in found] == [0, 2, 0]
