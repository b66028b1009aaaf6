"""What is kept of an event that concerns a test, and what it adds to its unit's totals."""

from datetime import datetime
from typing import NamedTuple, cast
from uuid import UUID

OPERATION, FEEDBACK, EXPOSURE = "o", "f", "e"

Identity = tuple[UUID, UUID, datetime]
"""Test, event, and when it occurred."""


class UnitKey(NamedTuple):
    """A unit of a test, under its pseudonym."""

    tenant_id: str
    test_id: UUID
    unit: str


class Candidate(NamedTuple):
    """One row of `ab_events`, in column order; a value that was not observed is `None`."""

    tenant_id: str
    test_id: UUID
    event_id: UUID
    occurred_at: datetime
    kind: str
    unit: str
    operation_id: str | None
    epoch: int
    variant: str
    counts_at: datetime
    is_crossed: bool = False
    bin: int | None = None
    ok: int | None = None
    ln: int | None = None
    slow: int | None = None
    tok: int | None = None
    cost: int | None = None
    conf: int | None = None
    rating: int | None = None
    helpful: int | None = None
    accurate: int | None = None
    relevant: int | None = None
    fast: int | None = None

    @property
    def identity(self) -> Identity:
        """What makes it one row of its tenant."""
        return self.test_id, self.event_id, self.occurred_at

    @property
    def key(self) -> UnitKey:
        """Whose it is."""
        return UnitKey(self.tenant_id, self.test_id, self.unit)


TOTALS = (
    "n", "crossovers", "ok", "ln", "slow", "tok_n", "tok", "cost_n", "cost", "conf_n", "conf",
    "rating_n", "rating", "helpful_n", "helpful", "accurate_n", "accurate", "relevant_n",
    "relevant", "fast_n", "fast",
)  # fmt: skip
"""A unit's totals: columns of `ab_units`."""
NOTHING = (0,) * len(TOTALS)
_COUNTS = tuple(place for place, name in enumerate(TOTALS) if name.endswith("_n"))
_FIRST_OPTIONAL = Candidate._fields.index("tok")
"""From here on values that not every event has, in the order of `TOTALS`."""
N, CROSSOVERS = TOTALS.index("n"), TOTALS.index("crossovers")


class Limits(NamedTuple):
    """What more of one operation counts as; `None`: nothing is cut."""

    tok: int | None = None
    cost: int | None = None


NO_LIMITS = Limits()


def capped(row: Candidate, limits: Limits) -> Candidate:
    """A row as it counts: tokens and cost cut at their limits."""
    tok, cost = row.tok, row.cost
    if limits.tok is not None and tok is not None and tok > limits.tok:
        row = row._replace(tok=limits.tok)
    if limits.cost is not None and cost is not None and cost > limits.cost:
        row = row._replace(cost=limits.cost)
    return row


def add_to(totals: list[int], one: Candidate) -> None:
    """Add what an operation or a feedback holds to its unit's totals."""
    if one.kind == OPERATION:
        totals[0] += 1
        totals[1] += one.is_crossed
        totals[2] += one.ok or 0
        totals[3] += one.ln or 0
        totals[4] += one.slow or 0
    values = cast("tuple[int | None, ...]", one[_FIRST_OPTIONAL:])
    for place, value in zip(_COUNTS, values, strict=True):
        if value is not None:
            totals[place] += 1
            totals[place + 1] += value
