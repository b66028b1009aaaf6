"""Advice: what was planted is found, what chance does is not, and all of it stands on numbers."""

import itertools
from datetime import timedelta

import numpy as np
import pytest

from services.gateway.domain.analysis.advice import Circumstances, advised, no_advice
from services.gateway.domain.analysis.comparing import findings
from services.gateway.domain.analysis.themes import Theme
from tests.unit.gateway.analysis.votes import NOON, drawn, group, judged

METRICS = ("accurate", "helpful")
QUIET = {"late": 0, "feedback": 0, "operations": 0, "oldest_at": None}


def thumbs(chance, *key: str, rate: float = 0.8, at=NOON, conflict: float = 0.05):
    metrics = {one: drawn(chance, rate, 200, 60, 0.1) for one in METRICS}
    metrics["conflict"] = drawn(chance, conflict, 200, 60)
    return group(*key, at=at, votes=200, **metrics)


def world(seed: int, bad: float = 0.8, conflict: float = 0.05):
    """Two types, three models, two versions each; `bad` is the rate of model c on type `tax`."""
    chance = np.random.default_rng(seed)
    by_type = [
        thumbs(chance, kind, model, rate=bad if (kind, model) == ("tax", "c") else 0.8)
        for kind, model in itertools.product(("tax", "chat"), "abc")
    ]
    versions = [
        thumbs(chance, model, version, at=NOON + timedelta(days=day))
        for model in "abc"
        for day, version in enumerate(("2", "1"))
    ]
    models = [thumbs(chance, model, conflict=conflict) for model in "abc"]
    return by_type, versions, [], models


def advice(groups, themes=(), waiting=QUIET, traffic=None):
    by_type, versions, prompts, models = groups
    circumstances = Circumstances(traffic or {}, models, by_type, versions, prompts, waiting)
    return advised(findings(*groups), themes, circumstances)


def test_where_nothing_differs_nothing_is_advised() -> None:
    runs = 200
    told = sum(bool(advice(world(seed))) for seed in range(runs))
    print(f"{told / runs:.1%} of {runs} worlds without a difference get advice")
    assert told / runs <= 0.05


def test_a_planted_worse_model_is_found_with_what_it_costs() -> None:
    others = 0
    for seed in range(20):
        found, *more = advice(world(seed, bad=0.5), traffic={("c", "tax"): 300, ("a", "chat"): 700})
        others += len(more)
        assert (found["kind"], found["model_id"]) == ("model_behind", "c")
        assert found["operation_type"] == "tax"
        evidence = found["evidence"]
        assert (evidence["share"], evidence["share_of"]) == (0.3, "operations")
        gravest = evidence["comparisons"][0]
        assert found["expected_effect"] == pytest.approx(0.3 * -gravest["difference"])
        assert gravest["low"] <= gravest["difference"] <= gravest["high"] < 0
        assert gravest["p_adjusted"] < 0.05
        assert gravest["better"]["value"] > gravest["worse"]["high"]
        assert found["sentence"].startswith("c on tax: ")
        assert f"{gravest['worse']['value']:.2f}" in found["sentence"]
    print(f"{others} pieces of advice beside the 20 that were planted")
    assert others <= 3


def test_advice_is_the_same_in_any_order() -> None:
    groups = world(3, bad=0.5)
    assert advice(groups) == advice([list(reversed(one)) for one in groups])


def test_a_version_that_fell_is_told_and_one_that_rose_is_not() -> None:
    chance = np.random.default_rng(1)
    models = [thumbs(chance, "a")]

    def versions(*rates: float):
        return [
            thumbs(chance, "a", f"v{n}", rate=rate, at=NOON + timedelta(days=n))
            for n, rate in enumerate(rates)
        ]

    (fell,) = advice(([], versions(0.5, 0.8, 0.5), [], models))
    assert (fell["kind"], fell["model_id"]) == ("version_fell", "a")
    assert fell["evidence"]["comparisons"][0]["better"]["name"] == "v1"
    assert "since version v2" in fell["sentence"]
    assert advice(([], versions(0.8, 0.5, 0.8), [], models)) == []
    (prompt,) = advice(([], [], versions(0.8, 0.5), models))
    assert prompt["kind"] == "prompt_version_fell"
    # What rises gives no room to tell of what chance lets fall.
    assert {one.by.p for one in findings([], versions(0.2, 0.9), [], []) if one.by.effect > 0} == {
        1
    }


def test_raters_that_contradict_themselves_and_missing_operations_are_told() -> None:
    waiting = {"late": 4, "feedback": 9, "operations": 5, "oldest_at": NOON}
    found = advice(world(5, conflict=0.3), waiting=waiting)
    kinds = [one["kind"] for one in found]
    assert kinds.count("raters_disagree") == 3
    assert kinds.count("operations_missing") == 1
    assert [one["rank"] for one in found] == list(range(1, len(found) + 1))
    effects = [one["expected_effect"] for one in found]
    assert effects == sorted(effects, reverse=True)
    assert all(0 <= one <= 1 for one in effects)
    late = next(one for one in found if one["kind"] == "operations_missing")
    assert "4 operations have feedback" in late["sentence"]
    assert "2026-11-20 12:00 UTC" in late["sentence"]


def test_a_theme_is_told_from_a_fifth_of_the_comments_on() -> None:
    chance = np.random.default_rng(1)
    models = [
        thumbs(chance, "b")._replace(
            judged={"negative": judged((str(n), n % 2) for n in range(200))}
        )
    ]

    def theme(members: int, of: int) -> Theme:
        share = judged((str(n), int(n < members)) for n in range(of))
        return Theme("b", ("outdated", "figures"), share, ())

    (found,) = advice(([], [], [], models), [theme(30, 100)])
    assert found["sentence"] == "b: 30 % of 100 negative comments say outdated, figures."
    assert found["expected_effect"] == pytest.approx(0.15)
    assert advice(([], [], [], models), [theme(19, 100)]) == []
    assert advice(([], [], [], models), [theme(4, 10)]) == []  # four people


def test_why_there_is_no_advice() -> None:
    assert "no feedback" in no_advice(0, 0)
    assert "too few" in no_advice(12, 0)
    assert "3 comparisons were made" in no_advice(500, 3)
