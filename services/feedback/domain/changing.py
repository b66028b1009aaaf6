"""What making rows anew changes, and what of it is told."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from services.feedback.domain.making import (
    ANSWER,
    READY,
    WITHDRAWN,
    Operation,
    Row,
)
from shared.events.training import TrainingExampleEvent

REPLACED = "a later feedback took its place: weight 0"
ERASED = "what it was made of was erased: weight 0"
State = Literal["ready", "updated", "withdrawn"]


class Changed(NamedTuple):
    """Rows to put in the place of those that were, rows to remove, and what is told."""

    rows: list[Row]
    gone: list[Row]
    told: list[tuple[Row, State]]


def changed(old: Mapping[UUID, Row], new: Sequence[Row], why: str = REPLACED) -> Changed:
    """Compare rows of one operation. One that is made no more leaves nothing behind.

    Else what there was would depend on what came in between.
    """
    made = {one.row_id for one in new}
    gone = [row for identity, row in old.items() if identity not in made]
    told: list[tuple[Row, State]] = [
        (_replaced(row, why), "withdrawn") for row in gone if row.state == READY
    ]
    found = Changed([], gone, told)
    for row in new:
        before = old.get(row.row_id)
        if before is None or _measure(before) != _measure(row):
            found.rows.append(row)
        state = _state(before, row)
        if state is not None:
            found.told.append((row, state))
    return found


def event_of(row: Row, state: State, event_id: UUID, at: datetime) -> TrainingExampleEvent:
    """A change as everybody is told."""
    lineage = json.loads(row.lineage)
    return TrainingExampleEvent(
        event_id=event_id,
        tenant_id=row.tenant_id,
        occurred_at=at,
        row_id=row.row_id,
        operation_id=row.operation_id,
        kind="answer" if row.kind == ANSWER else "correction",
        state=state,
        model_id=row.model_id,
        model_version=row.model_version,
        quality=row.quality,
        weight=row.weight,
        consent=row.consent,
        split=row.split,  # type: ignore[arg-type]  # one of the three, by the table's check
        formula_version=row.formula_version,
        has_text=row.input is not None or row.output is not None,
        reasons=[one[:512] for one in row.reasons],
        feedback=[UUID(one) for one in lineage["feedback_event_ids"]],
    )


def operation_of(rows: Mapping[UUID, Row]) -> Operation | None:
    """An operation that is kept no longer, as its answer's row remembers it."""
    row = next((one for one in rows.values() if one.kind == ANSWER), None)
    if row is None:
        return None
    lineage, terms = json.loads(row.lineage), json.loads(row.terms)
    return Operation(
        *(row.tenant_id, row.operation_id, UUID(lineage["operation_event_id"]), row.occurred_at),
        *(row.model_id, row.model_version, lineage["provider"], row.operation_type),
        *(row.agent_id, row.environment, lineage["release"], row.prompt_version),
        bool(terms["outcome"]),
        *(row.input, row.output, row.ab_test_id, row.variant),
    )


def _replaced(row: Row, why: str) -> Row:
    return row._replace(
        state=WITHDRAWN, input=None, output=None, correction=None, weight=0.0, reasons=[why]
    )


def _measure(row: Row) -> tuple[object, ...]:
    return row.state, row.content_hash, row.weighed_at, row.quality, row.weight


def _state(before: Row | None, row: Row) -> State | None:
    was_ready = before is not None and before.state == READY
    if row.state == WITHDRAWN:
        return "withdrawn" if was_ready else None
    if before is None or not was_ready:
        return "ready"
    return "updated" if before.content_hash != row.content_hash else None
