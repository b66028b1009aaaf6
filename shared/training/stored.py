"""Training rows as Postgres keeps them."""

from collections.abc import Iterable
from typing import Any

from pydantic_core import from_json

from shared.training.row import TrainingRow

COLUMNS = """
    r.row_id, r.operation_id, r.kind, r.occurred_at, r.model_id, r.model_version, r.agent_id,
    r.environment, r.operation_type, r.prompt_version, r.ab_test_id, r.variant, r.input, r.output,
    r.correction, r.quality, r.weight, r.reasons, r.consent, r.split, r.formula_version,
    r.weighed_at, r.lineage, r.has_pii
"""
"""Of `model_training_data` or `dataset_rows`, named `r`: members of a row, in their order."""
REASONS, LINEAGE = 17, 22


def row_of(record: Iterable[Any]) -> TrainingRow:
    """A row, of a record that was selected as `COLUMNS`."""
    members = list(record)
    members[REASONS] = tuple(members[REASONS])
    members[LINEAGE] = from_json(members[LINEAGE])
    return TrainingRow._make(members)


# Bytes, not a language's order: an export is the same in every database.
ORDER = 'r.occurred_at, r.operation_id COLLATE "C", r.row_id'
BY_INPUT = f"r.input_hash, {ORDER}"
"""The order of `preference`: what answers one input stands together."""
