"""Bugs that delivery could have, or had: the model must find each of them."""

from collections.abc import Sequence
from typing import Any

import pytest

from services.metrics.domain.snapshot import Snapshot
from shared.delivery import ends
from shared.delivery import runner as room
from shared.delivery.plan import Action, Fence, Partition, Plan, plan
from shared.delivery.runner import Runner
from shared.errors import FencedError, IncidentError
from tests.unit.delivery.processes import Link, LiveStore
from tests.unit.delivery.world import Part, Record, Store


def no_fence(store: Store, partition: Partition, _: Fence, records: Any, gap: int) -> Fence:
    part = store.parts.get(partition) or Part(Fence(1, 0), 0)
    return store.put(partition, part, records, gap)


def epoch_alone(
    store: Store, partition: Partition, fence: Fence, records: Sequence[Record], gap: int
) -> Fence:
    part = store.parts.get(partition)
    if part is None or part.fence.epoch != fence.epoch:
        raise FencedError
    return store.put(partition, part, records, gap)


def same_epoch(store: Store, partition: Partition, log_start: int | None) -> Fence | None:
    part = store.parts.get(partition)
    if part is None:
        if log_start is None:
            return None
        part = store.parts.setdefault(partition, Part(Fence(1, log_start), log_start))
    return part.fence


async def position_first(
    link: Link, partition: Partition, fence: Fence, records: Sequence[Record], gap: int
) -> Fence:
    before = link.store.parts.get(partition)
    moved = link.store.apply(partition, fence, records, gap)
    after = link.store.parts[partition]
    link.store.parts[partition] = after._replace(kept=before.kept if before else ())
    await link.reach("applied")
    link.store.parts[partition] = after
    return moved


def never_rewinds(next_offset: int, offsets: list[int], *, rewound: bool) -> Plan:
    return plan(next_offset, offsets, rewound=True)


def never_trims(next_offset: int, offsets: list[int], *, rewound: bool) -> Plan:
    todo = plan(next_offset, offsets, rewound=rewound)
    return Plan(todo.action, 0, todo.gap)


def drops_what_overlaps(next_offset: int, offsets: list[int], *, rewound: bool) -> Plan:
    todo = plan(next_offset, offsets, rewound=rewound)
    return Plan(Action.APPLY, len(offsets) - 1) if todo.first else todo


async def goes_on(
    runner: Runner, partition: Partition, records: list[Any], turn: Any, deadline: float
) -> None:
    async with turn:
        for start in range(0, len(records), room.PIECE):
            await runner._persist(partition, records[start : start + room.PIECE], deadline)


async def believes(_: Runner, __: Partition, fence: Fence) -> Fence:
    return fence


async def judges_by_old_ends(runner: Runner, partition: Partition, bounds: Any = None) -> Fence:
    start, end = bounds or (await runner._ends.bounds([partition]))[partition]
    fence = await runner._sink.claim(partition, start)
    problem = runner._ends.contradiction(fence.next_offset, (start, end))
    if problem:
        raise IncidentError(problem)
    runner._fences[partition] = fence
    runner._rewound.pop(partition, None)
    return fence


async def two_instants(live: LiveStore, partition: Partition) -> Snapshot:
    before = live._source.parts.get(partition)
    await live._link.reach("rebuild")
    part = live._source.parts.get(partition)
    if before is None or part is None:
        return Snapshot(None)
    kept: Any = list(part.kept)
    return Snapshot(before.fence.next_offset, seen={part.base: kept})


BUGS = [
    pytest.param(Store, "apply", no_fence, id="a store that asks for no fence"),
    pytest.param(Store, "apply", epoch_alone, id="a store that compares the epoch alone"),
    pytest.param(Store, "claim", same_epoch, id="a claim without a new epoch"),
    pytest.param(Link, "apply", position_first, id="the position moves before the data"),
    pytest.param(LiveStore, "take", two_instants, id="a rebuild from two instants"),
    pytest.param(room, "plan", never_rewinds, id="missing records are a gap at once"),
    pytest.param(room, "plan", never_trims, id="what was applied is not trimmed"),
    pytest.param(room, "plan", drops_what_overlaps, id="too much is trimmed"),
    pytest.param(ends, "contradiction", lambda *_: None, id="log and fence never contradict"),
    pytest.param(Runner, "_seek", lambda *_: None, id="seeks are dropped"),
    pytest.param(Runner, "_deliver", goes_on, id="the next piece follows a rewind (was a bug)"),
    pytest.param(Runner, "_confirmed", believes, id="expired records are a gap (was a bug)"),
    pytest.param(Runner, "_claim", judges_by_old_ends, id="a claim by old ends (was a bug)"),
]
