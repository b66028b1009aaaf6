"""What to do with a batch, given the fence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.delivery.plan import Action, Plan, contradiction, plan


@pytest.mark.parametrize(
    ("offsets", "rewound", "expected"),
    [
        pytest.param([5, 6], False, Plan(Action.APPLY, 0), id="the expected record comes first"),
        pytest.param([3, 4, 5], False, Plan(Action.APPLY, 2), id="a known head is trimmed"),
        pytest.param([3, 4], False, Plan(Action.DROP), id="all of it was applied before"),
        pytest.param([7, 8], False, Plan(Action.REWIND), id="a hole is looked at once more"),
        pytest.param([7, 8], True, Plan(Action.GAP, 0, 2), id="a hole seen twice is a gap"),
        pytest.param([4, 7], False, Plan(Action.APPLY, 1), id="markers inside a batch are no hole"),
    ],
)
def test_plan(offsets: list[int], rewound: bool, expected: Plan) -> None:
    assert plan(5, offsets, rewound=rewound) == expected


@given(
    log=st.sets(st.integers(0, 60), min_size=1).map(sorted),
    reads=st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=40),
)
def test_however_batches_are_redelivered_every_record_is_applied_once_in_order(
    log: list[int], reads: list[tuple[int, int]]
) -> None:
    applied: list[int] = []
    next_offset, rewound = 0, False
    # Any positions first, as rebalances and nacks may leave them; then from the fence to the end.
    for start, size in [*reads, *[(-1, 7)] * 200]:
        position = next_offset if start < 0 else start
        batch = [offset for offset in log if offset >= position][:size]
        if not batch:
            continue
        todo = plan(next_offset, batch, rewound=rewound)
        if todo.action is Action.REWIND:
            # The runner seeks and the same question comes again from there.
            rewound = True
            batch = [offset for offset in log if offset >= next_offset][:size]
            todo = plan(next_offset, batch, rewound=True)
        if todo.action in (Action.APPLY, Action.GAP):
            applied += batch[todo.first :]
            next_offset, rewound = batch[-1] + 1, False
    assert applied == log


@pytest.mark.parametrize(
    ("next_offset", "agrees"),
    [(9, False), (10, True), (15, True), (20, True), (21, False)],
)
def test_fence_and_log_contradict_each_other_outside_the_log(
    next_offset: int, agrees: bool
) -> None:
    assert (contradiction(next_offset, log_start=10, log_end=20) is None) == agrees
