"""Limits of health as the API answers them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel
from pydantic_core import from_json

from shared.health.limits import DEFAULT_LIMITS, OF_TENANT, HealthLimits, LimitsBook, layered


class LimitsAnswer(BaseModel):
    """What holds, and what was given for it here; null where nothing was."""

    limits: HealthLimits
    given: dict[str, Any] | None
    created_at: datetime | None
    created_by: str | None
    updated_at: datetime | None
    updated_by: str | None


class ModelLimitsAnswer(LimitsAnswer):
    """Those of one model."""

    model_id: str


def limits_view(tenant_id: str, model_id: str, rows: Mapping[str, Any]) -> dict[str, Any]:
    """Limits as they are answered, from the stored rows of the model and of its tenant."""
    book = LimitsBook((tenant_id, name, row["body"]) for name, row in rows.items())
    row = rows.get(model_id)
    whose = {} if model_id == OF_TENANT else {"model_id": model_id}
    return {
        **whose,
        "limits": book.of(tenant_id, model_id).model_dump(),
        "given": None if row is None else from_json(row["body"]),
        **{
            name: None if row is None else row[name]
            for name in ("created_at", "created_by", "updated_at", "updated_by")
        },
    }


def limits_in(status: bytes | None) -> HealthLimits:
    """The limits that a ready status was judged by."""
    try:
        found = from_json(status or b"{}").get("limits")
    except (ValueError, AttributeError):
        return DEFAULT_LIMITS
    return layered(found) if isinstance(found, dict) else DEFAULT_LIMITS
