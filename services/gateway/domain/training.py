"""Training rows as they are answered."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from services.gateway.domain.problems import Problem


class TrainingRowView(BaseModel):
    """One training row: the members of `shared.training.row.COLUMNS`, in their order."""

    id: UUID
    operation_id: str
    kind: Literal["answer", "correction"] = Field(
        description="What the model said, or a text that should have been given."
    )
    occurred_at: datetime = Field(description="Of the operation.")
    model_id: str
    model_version: str | None
    agent_id: str | None
    environment: str | None
    operation_type: str | None
    prompt_version: str | None
    ab_test_id: str | None
    variant: str | None
    input: str | None
    output: str | None
    correction: str | None = Field(description="Of an answer: the best there is.")
    quality: float = Field(description="0 to 1; 0.5: nothing is known.")
    weight: float = Field(description="0 to 1: how sure the quality is.")
    reasons: list[str]
    consent: bool | None = Field(description="null: nobody said anything of it.")
    split: Literal["train", "validation", "test"]
    formula_version: str
    weighed_at: datetime
    lineage: dict[str, Any]


class TrainingPage(BaseModel):
    """A page of training rows."""

    items: list[TrainingRowView]
    next_cursor: str | None


EXAMPLE = {
    "id": "0199f2c4-9d20-7b61-8a31-0c5b7e1f2a40",
    "operation_id": "op-1",
    "kind": "answer",
    "occurred_at": "2026-11-20T09:29:58Z",
    "model_id": "gpt-4o-mini",
    "model_version": "2026-07-01",
    "agent_id": "planner",
    "environment": "production",
    "operation_type": "chat",
    "prompt_version": "p-7",
    "ab_test_id": None,
    "variant": None,
    "input": "What does the small plan cost?",
    "output": "It costs 25 EUR a month.",
    "correction": "It costs 20 EUR a month.",
    "quality": 0.21,
    "weight": 0.64,
    "reasons": ["1 of 1 user called it wrong"],
    "consent": True,
    "split": "train",
    "formula_version": "1",
    "weighed_at": "2026-11-20T09:30:05Z",
    "lineage": {"feedback": ["0199f2c4-7b1e-7c3a-9a52-5a1c0c9b7e10"]},
}


def no_row(row_id: UUID) -> Problem:
    """The 404 of a row, also of one that was withdrawn."""
    return Problem("not-found", f"There is no training row {row_id}.")
