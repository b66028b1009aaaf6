"""A training row: one text, what it answered, and how good it is held to be."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self
from uuid import UUID

Kind = Literal["answer", "correction"]
Split = Literal["train", "validation", "test"]
Record = dict[str, object]

NEUTRAL = 0.5
"""Quality of a row of which nothing is known."""
NO_TEXT = "no_text"


class _Members(NamedTuple):
    id: UUID
    operation_id: str
    kind: Kind
    occurred_at: datetime  # of the operation, UTC
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
    correction: str | None  # on an answer: the best one there is
    quality: float  # 0 to 1; 0.5 says that nothing is known
    weight: float  # 0 to 1
    reasons: tuple[str, ...]
    consent: bool | None
    split: Split
    formula_version: str
    weighed_at: datetime
    lineage: Mapping[str, object]
    has_pii: bool  # what `redaction.finds_any` said of its texts when the row was made


class TrainingRow(_Members):
    """An answer, or a text that should have been given: then `output` is that text.

    A tuple, because a million are made for one export: a frozen dataclass takes 2 µs for each.
    """

    __slots__ = ()

    if not TYPE_CHECKING:  # who makes one sees the members' types

        def __new__(cls, *members: Any, **named: Any) -> Self:
            """Raises ValueError for numbers outside 0 to 1: NaN has no place in an export.

            `_make` and `_replace` do not look: they are for what a store has checked.
            """
            row = super().__new__(cls, *members, **named)
            if not (0 <= row.quality <= 1 and 0 <= row.weight <= 1):
                raise ValueError("quality and weight of a training row lie between 0 and 1")
            return row


COLUMNS = tuple(name for name in TrainingRow._fields if name != "has_pii")
"""Members of a public row, in their order."""


def public(row: TrainingRow) -> Record:
    """The row as others see it: JSON values, always in the order of `COLUMNS`."""
    return {
        "id": str(row.id),
        "operation_id": row.operation_id,
        "kind": row.kind,
        "occurred_at": rfc3339(row.occurred_at),
        "model_id": row.model_id,
        "model_version": row.model_version,
        "agent_id": row.agent_id,
        "environment": row.environment,
        "operation_type": row.operation_type,
        "prompt_version": row.prompt_version,
        "ab_test_id": row.ab_test_id,
        "variant": row.variant,
        "input": row.input,
        "output": row.output,
        "correction": row.correction,
        "quality": row.quality,
        "weight": row.weight,
        "reasons": row.reasons,
        "consent": row.consent,
        "split": row.split,
        "formula_version": row.formula_version,
        "weighed_at": rfc3339(row.weighed_at),
        "lineage": _sorted(row.lineage),
    }


def no_text(row: TrainingRow) -> str | None:
    """Why there is nothing to learn: a tenant that keeps no content, or a blank text."""
    has_texts = row.input and row.output and row.input.strip() and row.output.strip()
    return None if has_texts else NO_TEXT


def rfc3339(at: datetime) -> str:
    """`2026-01-01T12:00:00Z`, with six more digits where there are microseconds."""
    if at.tzinfo is not UTC:
        at = at.astimezone(UTC)
    return f"{at.isoformat()[:-6]}Z"


def _sorted(value: object) -> object:
    """Objects by key: the same bytes whether a lineage was read from jsonb or just made."""
    kind = type(value)
    if kind is str or kind is int:  # most are, and to ask for a Mapping takes longer
        return value
    if isinstance(value, Mapping):
        return {key: _sorted(value[key]) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return [_sorted(one) for one in value]
    return value
