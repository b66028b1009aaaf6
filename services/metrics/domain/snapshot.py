"""Postgres' content of one partition at one instant, as the cells that Redis should hold."""

from dataclasses import dataclass, field

from shared.measures.cells import Cells


@dataclass(slots=True)
class Snapshot:
    """What a generation of cells is built from."""

    next_offset: int | None
    """Where ingest stands; `None` when it has never seen the partition."""
    minutes: Cells = field(default_factory=dict)
    hours: Cells = field(default_factory=dict)
    seen: dict[int, list[bytes]] = field(default_factory=dict)
    """Hour (of 1970) -> digests of what arrived in it."""
    waiting: dict[bytes, bytes] = field(default_factory=dict)
