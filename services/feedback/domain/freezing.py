"""A row as a dataset freezes it: weighed at the dataset's instant, in the dataset's part."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from services.feedback.domain.formulas import Formula
from services.feedback.domain.making import why_of
from services.feedback.domain.terms import evidence_of
from services.feedback.domain.weighting import weigh
from shared.training.report import Report
from shared.training.row import Split, TrainingRow, rfc3339
from shared.training.splits import split

COUNTED = ("split", "kind", "model_id", "consent")


@dataclass(frozen=True, slots=True)
class Asked:
    """A dataset that somebody asked for. `filters` and `splits` as they were given."""

    tenant_id: str
    dataset_id: UUID
    name: str
    version: int
    filters: Mapping[str, Any]
    splits: Mapping[str, float]


@dataclass(slots=True)
class Counts:
    """What a dataset holds, as its rows go in."""

    rows: int = 0
    by: dict[str, Counter[str]] = field(
        default_factory=lambda: {name: Counter() for name in COUNTED}
    )
    first: datetime | None = None
    last: datetime | None = None

    def add(self, row: TrainingRow) -> None:
        """Count a row; rows come by time."""
        self.rows += 1
        self.by["split"][row.split] += 1
        self.by["kind"][row.kind] += 1
        self.by["model_id"][row.model_id] += 1
        self.by["consent"]["unknown" if row.consent is None else str(row.consent).lower()] += 1
        self.first = self.first or row.occurred_at
        self.last = row.occurred_at


@dataclass(frozen=True, slots=True)
class How:
    """By what all rows of a dataset are weighed, and drawn into parts."""

    at: datetime
    formula: Formula
    ends: Mapping[str, int]


def frozen(row: TrainingRow, terms: Mapping[str, Any], tenant_id: str, how: How) -> TrainingRow:
    """The row at the dataset's instant.

    Parts are drawn by tenant and operation, whatever the dataset: what one of them tests on, none
    with the same shares trains on.
    """
    weighed = weigh(evidence_of(terms, consent=row.consent), how.at, how.formula)
    has_text = row.input is not None or row.output is not None
    return row._replace(
        quality=weighed.quality,
        weight=weighed.weight,
        reasons=tuple(why_of(weighed, has_text=has_text)),
        split=cast(Split, split(tenant_id, row.operation_id, how.ends)),
        formula_version=weighed.version,
        weighed_at=weighed.at,
    )


def fits(row: TrainingRow, filters: Mapping[str, Any]) -> bool:
    """Whether a row as it is frozen is among those that were asked for."""
    lowest, highest = filters.get("min_quality", 0), filters.get("max_quality", 1)
    return bool(lowest <= row.quality <= highest and row.weight >= filters.get("min_weight", 0))


def manifest(asked: Asked, counts: Counts, report: Report, how: How) -> dict[str, Any]:
    """What a dataset says of itself. Hashed are its rows as JSONL, redacted by patterns."""
    return {
        "name": asked.name,
        "version": asked.version,
        "filters": dict(asked.filters),
        "splits": dict(asked.splits),
        "split_by": "SHA-256 of tenant and operation_id",
        "formula_version": how.formula.version,
        "weighed_at": rfc3339(how.at),
        "rows": counts.rows,
        "counts": {name: dict(sorted(one.items())) for name, one in counts.by.items()},
        "from": None if counts.first is None else rfc3339(counts.first),
        "to": None if counts.last is None else rfc3339(counts.last),
        "redaction": {"redactor": "patterns", "found": dict(sorted(report.redacted.items()))},
        "sha256": report.sha256,
        "bytes": report.size_bytes,
    }
