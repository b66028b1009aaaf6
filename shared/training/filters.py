"""Which training rows are asked for: the same words in lists, exports and datasets.

`consent` is what people said of their text: `true` said yes, `"unknown"` said nothing. Whoever said
no has withdrawn rows, which are never among those that are ready.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.events.base import ShortText

Share = Annotated[float, Field(ge=0, le=1)]
# Rows that exist for others: neither withdrawn nor taken out for good.
READY = """
    r.state = 'ready'
    AND NOT EXISTS (SELECT FROM training_blocks AS b
                     WHERE b.tenant_id = r.tenant_id AND b.row_id = r.row_id)
"""
COMPARED = {
    "model_id": "=", "agent_id": "=", "environment": "=", "operation_type": "=",
    "operation_id": "=", "kind": "=", "split": "=",
    "min_quality": ">=", "max_quality": "<=", "min_weight": ">=",
    "start": ">=", "end": "<",
}  # fmt: skip
COLUMN = {
    "min_quality": "quality", "max_quality": "quality", "min_weight": "weight",
    "start": "occurred_at", "end": "occurred_at",
}  # fmt: skip


class DatasetFilters(BaseModel):
    """What a dataset may be made of; left out = all."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True)

    model_id: ShortText | None = None
    agent_id: ShortText | None = None
    environment: ShortText | None = None
    operation_type: ShortText | None = None
    operation_id: ShortText | None = None
    kind: Literal["answer", "correction"] | None = None
    min_quality: Share | None = None
    max_quality: Share | None = None
    min_weight: Share | None = None
    start: AwareDatetime | None = Field(None, alias="from", description="Of the operation.")
    end: AwareDatetime | None = Field(None, alias="to", description="Before this.")
    consent: Literal[True, False, "unknown"] | None = Field(
        None, description="true: said so; unknown: nothing was said. Left out: both."
    )

    def kept(self) -> dict[str, Any]:
        """As a dataset keeps and answers them: only what was given."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class RowFilters(DatasetFilters):
    """What a list or an export of rows may be asked for."""

    split: Literal["train", "validation", "test"] | None = None


Value = str | float | datetime


def clauses(filters: DatasetFilters, first: int) -> tuple[list[str], list[Value]]:
    """Conditions on rows `r`, and the values of their places from `$first` on."""
    found: list[str] = []
    values: list[Value] = []
    for name, sign in COMPARED.items():
        value = getattr(filters, name, None)
        if value is not None:
            found.append(f"r.{COLUMN.get(name, name)} {sign} ${first + len(values)}")
            values.append(value)
    if filters.consent is not None:
        found.append("r.consent IS NULL" if filters.consent == "unknown" else _said(filters))
    return found, values


def _said(filters: DatasetFilters) -> str:
    return "r.consent" if filters.consent else "NOT r.consent"
