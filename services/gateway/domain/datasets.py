"""Frozen datasets as they are asked for and answered."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import from_json

from services.gateway.domain.problems import Problem
from shared.training.filters import DatasetFilters
from shared.training.splits import USUAL, ends

Share = Annotated[float, Field(ge=0, le=1)]
JSON_TEXT = ("filters", "splits", "manifest")


class DatasetRequest(BaseModel):
    """A dataset to freeze: the next version under its name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    # It stands in file names and in logs.
    name: Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]
    filters: DatasetFilters = DatasetFilters()
    splits: dict[str, Share] = Field(
        USUAL, description="Shares of train, validation and test; they add up to 1."
    )

    @field_validator("splits")
    @classmethod
    def _adds_up(cls, splits: dict[str, float]) -> dict[str, float]:
        ends(splits)
        return splits


class DatasetView(BaseModel):
    """A dataset."""

    id: UUID
    name: str
    version: int
    state: Literal["freezing", "frozen", "failed"]
    rows: int | None
    withdrawn: int = Field(description="Rows that left it since it was frozen.")
    sha256: str | None = Field(description="Of its rows as JSONL, redacted, when it was frozen.")
    manifest: dict[str, Any] | None
    failure: str | None = Field(description="Why it could not be frozen.")
    filters: dict[str, Any]
    splits: dict[str, float]
    formula_version: str | None
    created_at: datetime
    created_by: str
    frozen_at: datetime | None


class DatasetsPage(BaseModel):
    """A page of datasets."""

    items: list[DatasetView]
    next_cursor: str | None


EXAMPLE = {
    "id": "0199f2d0-1c44-7d0e-b6a8-7f2e4c9a1b35",
    "name": "support-answers",
    "version": 3,
    "state": "frozen",
    "rows": 1840,
    "withdrawn": 0,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "manifest": {"counts": {"train": 1650, "validation": 190}},
    "failure": None,
    "filters": {"model_id": "gpt-4o-mini", "min_quality": 0.7, "consent": True},
    "splits": {"train": 0.9, "validation": 0.1},
    "formula_version": "1",
    "created_at": "2026-11-21T08:00:00Z",
    "created_by": "key:k3v9x0aq2m1z",
    "frozen_at": "2026-11-21T08:00:02Z",
}


def dataset_view(row: Mapping[str, Any]) -> dict[str, Any]:
    """A stored dataset as it is answered."""
    shown = {"id": row["dataset_id"]}
    for name in DatasetView.model_fields.keys() - shown.keys():
        value = row[name]
        is_json = name in JSON_TEXT and value is not None
        shown[name] = from_json(value) if is_json else value
    return {name: shown[name] for name in DatasetView.model_fields}


def no_dataset(dataset_id: UUID) -> Problem:
    """The 404 of a dataset."""
    return Problem("not-found", f"There is no dataset {dataset_id}.")
