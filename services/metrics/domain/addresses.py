"""Where a cell is, and how far a partition's cells are."""

from typing import NamedTuple

from shared.delivery.plan import Partition


class Position(NamedTuple):
    """How far a partition's cells are; another epoch or generation may hold other content."""

    epoch: int
    next_offset: int
    generation: int


class CellAddress(NamedTuple):
    """One cell hash of one partition."""

    partition: Partition
    generation: int
    member: str
