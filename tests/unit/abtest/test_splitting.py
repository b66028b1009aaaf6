"""Is the split to be believed?"""

import pytest

from services.abtest.domain.memory import NOTHING
from shared.experiments import srm
from shared.experiments.assignment import assign
from tests.support.abtests import arm, epochs, look, state, successes
from tests.support.experiments import config, weighted

THREE = config(variants=weighted(a=0.4, b=0.3, c=0.3))


def test_what_was_seen_once_is_not_forgotten() -> None:
    _, memory = look(successes((3_000, 0.9), (2_500, 0.9)))
    answer, _ = look(successes((9_000, 0.9), (9_000, 0.9)), memory)
    assert answer.srm.broken
    assert answer.srm.p_value == srm.look(srm.START, [3_000, 2_500], [0.5, 0.5]).p
    assert answer.srm.one_look_p_value == 1


def test_epochs_are_held_against_their_own_weights() -> None:
    split = epochs({"a": 0.5, "b": 0.5}, {"a": 0.9, "b": 0.1})
    arms = {(1, "a"): arm(500), (1, "b"): arm(500), (2, "a"): arm(900), (2, "b"): arm(100)}
    answer, _ = look(state(arms, epochs=split))
    assert (answer.srm.p_value, answer.srm.broken) == (1, False)
    assert answer.srm.expected == {"a": 1_400, "b": 600}
    assert answer.srm.observed == {"a": 1_400, "b": 600}


def test_both_epochs_together_may_show_what_neither_does() -> None:
    split = epochs({"a": 0.5, "b": 0.5}, {"a": 0.5, "b": 0.5})
    one = {(1, "a"): arm(5_130), (1, "b"): arm(4_830)}
    alone, _ = look(state(one, epochs=split))
    both, memory = look(state(one | {(2, "a"): arm(5_130), (2, "b"): arm(4_830)}, epochs=split))
    assert memory.split_peak > 1.9 * look(state(one, epochs=split))[1].split_peak > 0
    assert both.srm.p_value < alone.srm.p_value


def test_a_unit_of_a_variant_that_was_taken_out_moves_on_and_breaks_nothing() -> None:
    """By the assignment itself: the first epoch goes on without c, whose units move on."""
    split = epochs({"a": 0.4, "b": 0.3, "c": 0.3}, {"a": 0.5, "b": 0.5, "c": 0.0})
    counts: dict[tuple[int, str], int] = {}
    for n in range(6_000):
        known = split[:1] if n < 1_000 else split
        found = assign("checkout-model", None, known, f"user-{n}")
        assert found is not None
        key = (found.epoch, found.variant)
        counts[key] = counts.get(key, 0) + 1
    answer, _ = look(state({key: arm(units) for key, units in counts.items()}, THREE, epochs=split))
    assert not answer.srm.broken
    assert answer.srm.one_look_p_value > 0.01
    first = [counts[1, key] for key in "abc"]
    assert srm.one_look(first, [0.4, 0.3, 0.3]) < 1e-12  # what the weights alone would say


def test_a_split_that_is_unlikely_warns_before_it_breaks() -> None:
    answer, _ = look(successes((5_140, 0.9), (4_860, 0.9)))
    assert not answer.srm.broken
    assert any("split is unlikely" in said for said in answer.warnings)


@pytest.mark.parametrize("crossed", [0, 7])
def test_operations_by_another_model_are_told(crossed: int) -> None:
    held = state({key: arm(500, crossovers=crossed) for key in "ab"})
    answer, _ = look(held)
    assert any("another model" in said for said in answer.warnings) == bool(crossed)


def test_evidence_without_end_is_a_number() -> None:
    far = epochs({"a": 1 - 1e-9, "b": 1e-9})
    _, memory = look(state({"a": arm(5), "b": arm(10**6)}, epochs=far), NOTHING)
    assert memory.split_peak == 1e6
    assert type(memory).model_validate_json(memory.model_dump_json()) == memory


def test_units_where_nobody_may_be_break_a_test_while_they_are_there() -> None:
    """One wrong event, and its unit is found in two variants later."""
    gone = epochs({"a": 0.5, "b": 0.5, "c": 0.0})
    three = config(variants=weighted(a=0.5, b=0.25, c=0.25))
    halves = {"a": arm(25_000), "b": arm(25_000)}
    answer, memory = look(state(halves | {"c": arm(1)}, three, epochs=gone), NOTHING)
    assert (answer.verdict, answer.srm.p_value) == ("BROKEN", 0)
    answer, _ = look(state(halves, three, epochs=gone), memory)
    assert answer.verdict != "BROKEN"


def test_what_an_earlier_look_broke_is_not_said_of_the_shares_of_now() -> None:
    _, memory = look(state({"a": arm(3_000), "b": arm(2_500)}))
    answer, _ = look(state({"a": arm(50_000), "b": arm(50_000)}), memory)
    assert answer.verdict == "BROKEN"
    assert "at an earlier look" in answer.recommendation


def test_a_test_of_one_look_is_made_each_time_that_units_doubled() -> None:
    """At every look, every two seconds, it would err in one test of fifty."""
    _, memory = look(state({"a": arm(60), "b": arm(40)}))
    assert memory.doubled.units == 100
    unlikely = state({"a": arm(125), "b": arm(60)})
    answer, again = look(unlikely, memory)
    assert answer.srm.one_look_p_value < 0.0005
    assert (answer.verdict != "BROKEN", again.doubled) == (True, memory.doubled)
    assert any("split is unlikely" in said for said in answer.warnings)
    answer, again = look(state({"a": arm(140), "b": arm(70)}), memory)
    assert (answer.verdict, again.doubled.is_unfair) == ("BROKEN", True)
