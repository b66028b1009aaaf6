"""The gate lets so much in at once, and no more; how much, it learns."""

from contextlib import ExitStack, suppress

import pytest

from services.gateway.domain.problems import Problem
from services.gateway.service.gate import REQUEST_BYTES, SLOW_S, Gate

KB = 1024


class Hours:
    """A clock that goes when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def holds(gate: Gate, size: int) -> int:
    """How many requests of a size get in together."""
    with ExitStack() as inside:
        for count in range(10_000):
            try:
                inside.enter_context(gate.entered(str(count)))(size - REQUEST_BYTES)
            except Problem:
                return count
    raise AssertionError("it has no end")


def test_who_comes_when_it_is_full_is_sent_away_with_a_time_to_come_back() -> None:
    gate = Gate(2, 100 * KB, Hours())
    with gate.entered("a"), gate.entered("b"):
        with pytest.raises(Problem) as refused, gate.entered("c"):
            pytest.fail("nobody else gets in")
        assert (refused.value.status, refused.value.headers["Retry-After"]) == (503, "1")
    assert holds(gate, KB) == 2


def test_bytes_count_together_and_are_given_back_whatever_happens() -> None:
    gate = Gate(1_000, 100 * KB, Hours())
    for _ in range(3):
        assert holds(gate, 10 * KB) == 10


def test_who_is_alone_is_never_refused() -> None:
    with Gate(1_000, 100 * KB, Hours()).entered("a") as bring:
        bring(500 * KB)


def test_slow_storing_makes_it_narrow_and_quick_storing_wide_again() -> None:
    clock = Hours()
    gate = Gate(100_000, 1000 * KB, clock)
    assert holds(gate, KB) == 1000
    for _ in range(20):
        with gate.storing(KB):
            clock.now += 2 * SLOW_S
    assert holds(gate, KB) == 64
    for _ in range(10):
        with gate.storing(1000 * KB):
            pass
    assert holds(gate, KB) == 1000


def test_a_crowd_of_slow_answers_counts_as_one_sign() -> None:
    clock = Hours()
    gate = Gate(1_000, 1000 * KB, clock)
    with ExitStack() as crowd:
        for _ in range(50):
            crowd.enter_context(gate.storing(KB))
        clock.now += 2 * SLOW_S
    assert holds(gate, KB) == 700


def test_neither_a_slow_client_nor_a_refusal_teaches_it_anything() -> None:
    clock = Hours()
    gate = Gate(1_000, 1000 * KB, clock)
    with gate.entered("a") as bring:
        clock.now += 20 * SLOW_S
        bring(KB)
    with suppress(ValueError), gate.storing(KB):
        clock.now += 2 * SLOW_S
        raise ValueError("refused")
    assert holds(gate, KB) == 1000


def test_a_tenant_leaves_a_quarter_of_the_requests_and_of_the_bytes_to_the_others() -> None:
    few, small = Gate(8, 1000 * KB, Hours()), Gate(1_000, 100 * KB, Hours())
    with ExitStack() as inside:
        for _ in range(6):
            inside.enter_context(few.entered("slow"))
        for _ in range(7):
            inside.enter_context(small.entered("slow"))(10 * KB)
        for gate in (few, small):
            with pytest.raises(Problem, match="taken"), gate.entered("slow") as bring:
                bring(10 * KB)
            with gate.entered("other") as bring:
                bring(10 * KB)
    for gate in (few, small):
        with gate.entered("slow") as bring:
            bring(10 * KB)
