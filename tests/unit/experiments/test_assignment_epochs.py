"""Nobody who was placed is moved, and the client places everybody as the gateway does."""

import random
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from assay_sdk import Experiment, Variant
from assay_sdk import assign as assign_offline
from assay_sdk.assignment import edges as edges_offline
from assay_sdk.assignment import placed as placed_offline
from shared.experiments.assignment import BUCKETS, Assigned, Epoch, assign, bucket, edges, rounded
from shared.experiments.config import ExperimentConfig
from shared.experiments.epochs import NobodyError, first_epoch, next_epoch
from shared.experiments.lifecycle import NotNowError
from tests.support.experiments import NOON, config, weighted

UNITS = [f"user-{number}" for number in range(3_000)]
Epochs = list[Epoch]
HALF = {"a": 0.5, "b": 0.5}


def given(weights: dict[str, float], traffic: float, group: str | None = None) -> ExperimentConfig:
    return config(variants=weighted(**weights), traffic=traffic, exclusion_group=group)


def begun(weights: dict[str, float], traffic: float, **more: Any) -> Epochs:
    return [first_epoch(given(weights, traffic), "s", more.get("taken", ()), NOON)]


def changed(epochs: Epochs, weights: dict[str, float], traffic: float) -> Epochs:
    return [*epochs, next_epoch(given(weights, traffic), epochs, "s", (), NOON)]


def placed(epochs: Epochs, group: str | None = None) -> dict[str, Assigned]:
    found = {unit: assign("checkout-model", group, epochs, unit) for unit in UNITS}
    return {unit: at for unit, at in found.items() if at is not None}


@pytest.mark.parametrize(
    ("salt", "unit", "place"),
    [("s1", "user-1", 4254), ("s1", "user-2", 2134), ("s2", "user-1", 3371)],
)
def test_buckets_are_those_of_the_specification(salt: str, unit: str, place: int) -> None:
    assert bucket("checkout-model", salt, unit) == place


def test_edges_are_rounded_and_reach_the_end() -> None:
    assert edges([1 / 3, 1 / 3, 1 / 3]) == [3333, 6667, 10_000]
    assert edges([0.5, 0.0, 0.5 - 1e-10]) == [5000, 5000, 10_000]


@pytest.mark.parametrize(
    ("weights", "ends"),
    [
        ([0.0299, 0.25967, 0.06538, 0.0001, 0.64495], [299, 2896, 3550, 3551, 10_000]),
        ([0.00005, 0.0001, 0.99985], [1, 2, 10_000]),
        ([0.1, 0.20005, 0.69995], [1000, 3001, 10_000]),
        ([0.1] * 10, [1000 * place for place in range(1, 11)]),
        ([0.00015] * 9 + [0.99865], [2, 3, 5, 6, 8, 9, 11, 12, 14, 10_000]),
    ],
)
def test_edges_are_those_of_the_exact_sums_here_and_in_the_client(
    weights: list[float], ends: list[int]
) -> None:
    assert edges(weights) == ends
    assert edges_offline(weights) == ends


@pytest.mark.parametrize("seed", range(5))
def test_edges_are_those_of_decimal_arithmetic(seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(300):
        parts = [dice.randrange(0, 20_000) for _ in range(dice.randint(1, 9))]
        weights = [part / 200_000 for part in parts]
        weights.append(float(1 - sum(Decimal(str(weight)) for weight in weights)))
        ends = [(10 * sum(parts[: n + 1]) + 100) // 200 for n in range(len(parts))]
        assert edges(weights) == edges_offline(weights) == [*ends, BUCKETS]


def test_traffic_is_rounded_exactly_too() -> None:
    for share in range(1, 20_001):
        traffic = share / 20_000
        assert rounded(traffic) == (share + 1) // 2
        variants = (Variant("a", 1.0, is_control=True),)
        ((_, end),) = Experiment("e", "s", variants, traffic=traffic).history[0].places
        assert end == (share + 1) // 2


def test_wider_traffic_moves_nobody_and_gives_new_weights_to_the_new_only() -> None:
    before = begun({"a": 0.5, "b": 0.5}, 0.3)
    after = changed(before, {"a": 0.1, "b": 0.9}, 1.0)
    old, new = placed(before), placed(after)
    assert {unit: new[unit] for unit in old} == old
    assert len(new) == len(UNITS)
    fresh = Counter(new[unit].variant for unit in new.keys() - old.keys())
    assert fresh["b"] / fresh.total() == pytest.approx(0.9, abs=0.03)
    assert {new[unit].epoch for unit in new.keys() - old.keys()} == {2}


def test_who_left_by_narrower_traffic_comes_back_with_the_same_variant() -> None:
    wide = begun({"a": 0.5, "b": 0.5}, 0.8)
    narrow = changed(wide, {"a": 0.5, "b": 0.5}, 0.2)
    again = changed(narrow, {"a": 0.2, "b": 0.8}, 1.0)
    at_first, in_between, at_last = placed(wide), placed(narrow), placed(again)
    assert in_between.items() < at_first.items() < at_last.items()


def test_only_units_of_a_variant_that_was_taken_out_move_and_they_stay_where_they_went() -> None:
    before = begun({"a": 0.4, "b": 0.3, "c": 0.3}, 1.0)
    without = changed(before, {"a": 0.5, "b": 0.5, "c": 0}, 1.0)
    first, second = placed(before), placed(without)
    moved = {unit for unit in UNITS if first[unit].variant != second[unit].variant}
    assert moved == {unit for unit in UNITS if first[unit].variant == "c"}
    went = Counter(second[unit].variant for unit in moved)
    assert went["a"] / went.total() == pytest.approx(0.5, abs=0.06)
    begun_small = changed(begun({"a": 0.4, "b": 0.3, "c": 0.3}, 0.5), {"a": 1, "b": 0, "c": 0}, 0.5)
    revived = changed(begun_small, {"a": 0.2, "b": 0.4, "c": 0.4}, 0.9)
    assert placed(begun_small).items() < placed(revived).items()


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_changed_nobody_who_was_placed_is_moved(seed: int) -> None:
    dice = random.Random(seed)
    epochs = begun({"a": 0.4, "b": 0.3, "c": 0.3}, dice.choice([0.1, 0.3, 0.5]))
    last = placed(epochs)
    for _ in range(8):
        wanted = dice.choice(
            [
                {"a": 0.4, "b": 0.3, "c": 0.3},
                {"a": 0.2, "b": 0.8, "c": 0},
                {"a": 0.3, "b": 0, "c": 0.7},
            ]
        )
        try:
            epochs = changed(epochs, wanted, dice.choice([0.05, 0.2, 0.4, 0.7, 1.0]))
        except NotNowError:
            continue
        now = placed(epochs)
        for unit, at in now.items():
            if unit in last and wanted[last[unit].variant]:
                assert at == last[unit]
            last[unit] = at


def test_weights_that_would_reach_nobody_are_refused_with_the_way_out() -> None:
    whole = begun({"a": 0.5, "b": 0.5}, 1.0)
    with pytest.raises(NotNowError, match="reached 1 of all: widen the traffic"):
        changed(whole, {"a": 0.9, "b": 0.1}, 1.0)
    with pytest.raises(NotNowError, match="reached 1 of all"):
        changed(whole, {"a": 0.9, "b": 0.1}, 0.5)


@pytest.mark.parametrize("weight", [0.00004, 1e-9])
def test_a_share_that_nobody_would_get_is_refused_with_the_field_and_the_way_out(
    weight: float,
) -> None:
    half = begun(HALF, 0.5)
    small = {"a": 1 - weight, "b": weight}
    for wrong in (small, {"a": 1, "b": 0}):
        with pytest.raises(NobodyError, match=r"^b would be given to nobody.* 0\.0001") as found:
            begun(wrong, 1.0)
        assert found.value.field == "variants"
    with pytest.raises(NobodyError, match=r"^b would be .* or 0, which takes it out"):
        changed(half, small, 1.0)
    for control in (weight, 0):
        with pytest.raises(NobodyError, match=r"^a is what others are compared with.* 0\.0001"):
            changed(half, {"a": control, "b": 1 - control}, 1.0)
    for act in (lambda: begun(HALF, weight), lambda: changed(half, HALF, weight)):
        with pytest.raises(NobodyError, match=r"^it would reach nobody.* 0\.0001") as found:
            act()
        assert found.value.field == "traffic"
    assert changed(half, HALF, 0)[-1].places == begun(HALF, 0)[-1].places == ()


def test_a_share_that_is_less_than_a_bucket_but_gets_one_is_taken() -> None:
    begun({"a": 0.9999, "b": 1 - 0.9999}, 0.00005)
    changed(begun(HALF, 0.5), {"a": 1 - 0.9999, "b": 0.9999}, 0.6)


def test_a_unit_is_in_at_most_one_test_of_a_group() -> None:
    shares = {"one": 0.3, "two": 0.2, "three": 0.5}
    taken: list[tuple[int, int]] = []
    held: dict[str, Epochs] = {}
    for key, traffic in shares.items():
        held[key] = begun({"a": 0.5, "b": 0.5}, traffic, taken=taken)
        taken += held[key][-1].places
    with pytest.raises(NotNowError, match="0 of all units are free, and traffic asks for"):
        begun({"a": 0.5, "b": 0.5}, 0.1, taken=taken)
    found = [[key for key in shares if assign(key, "g", held[key], unit)] for unit in UNITS]
    assert {len(keys) for keys in found} == {1}
    for key, traffic in shares.items():
        share = sum(key in keys for keys in found) / len(UNITS)
        assert share == pytest.approx(traffic, abs=0.03)


def test_a_test_of_a_group_grows_into_what_others_left_and_moves_nobody() -> None:
    others = [(2_000, 5_000)]
    first = begun({"a": 0.5, "b": 0.5}, 0.3, taken=others)
    assert first[-1].places == ((0, 2_000), (5_000, 6_000))
    for traffic, places in ((0.4, ((0, 3_000), (5_000, 6_000))), (0.8, ((0, 8_000),))):
        grown = [*first, next_epoch(given(HALF, traffic), first, "s", (), NOON)]
        assert grown[-1].places == places
        assert placed(first, "g").items() < placed(grown, "g").items()


def answer(config: ExperimentConfig, epochs: Epochs) -> dict[str, Any]:
    """As much of the API's answer as the client reads."""
    return config.model_dump() | {
        "id": "0192f0c0-0000-7000-8000-00000000000a",
        "state": "running",
        "epochs": [
            {
                "salt": one.salt,
                "weights": [{"variant": w.variant, "weight": w.weight} for w in one.weights],
                "places": [list(place) for place in one.places],
            }
            for one in epochs
        ],
    }


@pytest.mark.parametrize("group", [None, "g"])
def test_the_client_places_100_000_units_as_the_gateway_does(group: str | None) -> None:
    epochs = begun({"a": 0.4, "b": 0.3, "c": 0.3}, 0.3, taken=[(100, 900)])
    epochs = changed(epochs, {"a": 0.4, "b": 0, "c": 0.6}, 0.9)
    known = given({"a": 0.4, "b": 0, "c": 0.6}, 0.9, group)
    offline = Experiment.from_answer(answer(known, epochs))
    for number in range(100_000):
        unit = f"user-{number}"
        at = assign("checkout-model", group, epochs, unit)
        variant, takes_part = assign_offline(offline, unit)
        assert (variant.key, takes_part) == ((at.variant, True) if at else ("a", False))
        if number % 100 == 0:
            by_client = placed_offline(offline, unit)
            assert (by_client and by_client[1]) == (at and at.epoch)


def test_the_client_gives_the_control_unless_the_test_runs_and_then_the_winner() -> None:
    told = answer(given({"a": 0.5, "b": 0.5}, 1.0), begun({"a": 0.5, "b": 0.5}, 1.0))
    for state, winner, key in (
        ("paused", None, "a"),
        ("paused", "b", "a"),
        ("stopped", None, "a"),
        ("stopped", "b", "a"),
        ("concluded", "b", "b"),
    ):
        offline = Experiment.from_answer(told | {"state": state, "winner": winner})
        assert [assign_offline(offline, unit) for unit in UNITS[:20]] == [
            (next(v for v in offline.variants if v.key == key), False)
        ] * 20


def test_without_a_unit_nobody_takes_part() -> None:
    assert assign("checkout-model", None, begun({"a": 0.5, "b": 0.5}, 1.0), "") is None
