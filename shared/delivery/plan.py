"""What to do with the records of one partition, given the fence. Pure."""

from enum import Enum, auto
from typing import NamedTuple


class Partition(NamedTuple):
    """One partition of a topic; aiokafka's TopicPartition compares equal to it."""

    topic: str
    partition: int


class Fence(NamedTuple):
    """Who may write to the sink, and from which offset on."""

    epoch: int
    next_offset: int


class Action(Enum):
    """What a batch of one partition amounts to."""

    APPLY = auto()  # the first record is the expected one, perhaps after trimming
    DROP = auto()  # all of it was applied before
    REWIND = auto()  # records are missing in between: seek to the fence, once
    GAP = auto()  # they are missing again: control records; apply and count


class Plan(NamedTuple):
    """An action, the index of the first record to apply, and how many offsets are skipped."""

    action: Action
    first: int = 0
    gap: int = 0


def plan(next_offset: int, offsets: list[int], *, rewound: bool) -> Plan:
    """Decide about records at ascending `offsets`; `rewound` when we have sought here before.

    Offsets inside a batch need not be consecutive: transactions leave markers between records.
    """
    if offsets[-1] < next_offset:
        return Plan(Action.DROP)
    if offsets[0] > next_offset:
        if not rewound:
            return Plan(Action.REWIND)
        return Plan(Action.GAP, 0, offsets[0] - next_offset)
    first = next(index for index, offset in enumerate(offsets) if offset >= next_offset)
    return Plan(Action.APPLY, first)


def contradiction(next_offset: int, log_start: int, log_end: int) -> str | None:
    """Why the log and the fence cannot both be right; `None` when they can."""
    if next_offset < log_start:
        return (
            f"the sink expects offset {next_offset}, but the log begins at {log_start}: "
            "records expired before they were consumed"
        )
    if next_offset > log_end:
        return (
            f"the sink expects offset {next_offset}, but the log ends at {log_end}: "
            "the log lost its tail or the topic was made anew"
        )
    return None
