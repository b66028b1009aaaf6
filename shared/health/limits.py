"""Limits of health as people set them: a tenant's hold for all its models, a model's own go first.

Each measure's limits are given whole or not at all, so that what a model inherits always fits what
it says itself. `null` means that the measure is not judged.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError, from_json

SharePart = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Stars = Annotated[float, Field(ge=1, le=5, allow_inf_nan=False)]
Milliseconds = Annotated[float, Field(gt=0, le=86_400_000, allow_inf_nan=False)]
OF_TENANT = ""
"""Stands for the model where limits are those of the whole tenant."""


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


class ShareLimits(_Strict):
    """Shares above which a model is degraded, or critical."""

    warning: SharePart
    critical: SharePart

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.warning > self.critical:
            raise PydanticCustomError("order", "warning must not lie above critical", {})
        return self


class SlowLimits(ShareLimits):
    """Likewise, for the share of operations that took longer than agreed."""

    after_ms: Milliseconds


class StarLimits(_Strict):
    """Mean ratings below which a model is degraded, or critical."""

    warning: Stars
    critical: Stars

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.warning < self.critical:
            raise PydanticCustomError("order", "warning must not lie below critical", {})
        return self


class HealthLimits(_Strict):
    """All limits; what is not given is inherited: by a model from its tenant."""

    min_sample: Annotated[int, Field(ge=10, le=1_000_000)] = 25
    failures: ShareLimits | None = ShareLimits(warning=0.05, critical=0.20)
    slow: SlowLimits | None = SlowLimits(after_ms=10_000, warning=0.05, critical=0.25)
    calibration_error: ShareLimits | None = ShareLimits(warning=0.10, critical=0.30)
    unhelpful: ShareLimits | None = ShareLimits(warning=0.30, critical=0.60)
    rating: StarLimits | None = StarLimits(warning=3.0, critical=2.0)

    def given(self) -> str:
        """What was set, as JSON; the rest stays inherited."""
        return self.model_dump_json(exclude_unset=True)


DEFAULT_LIMITS = HealthLimits()

LimitsRow = tuple[str, str, str]
"""Tenant, model (`OF_TENANT`: all of them) and what was given, as JSON."""


class LimitsBook:
    """The limits of every tenant and model."""

    def __init__(self, rows: Iterable[LimitsRow] = ()) -> None:
        self._given: dict[tuple[str, str], Mapping[str, Any]] = {}
        self._known: dict[tuple[str, str], HealthLimits] = {}
        for tenant_id, model_id, body in rows:
            given = from_json(body)
            if isinstance(given, dict):
                self._given[tenant_id, model_id] = given

    def of(self, tenant_id: str, model_id: str = OF_TENANT) -> HealthLimits:
        """What holds for a model."""
        own = (
            (tenant_id, model_id)
            if (tenant_id, model_id) in self._given
            else (tenant_id, OF_TENANT)
        )
        found = self._known.get(own)
        if found is None:
            layers = (self._given.get((tenant_id, OF_TENANT)), self._given.get(own))
            found = self._known[own] = layered(*(one for one in layers if one))
        return found


def changed(before: HealthLimits, after: HealthLimits) -> str:
    """A sentence that says how limits differ from those before."""
    differing = (
        f"{name} from {_said(was)} to {_said(now)}"
        for name in HealthLimits.model_fields
        if (was := getattr(before, name)) != (now := getattr(after, name))
    )
    return f"Limits were changed: {'; '.join(differing)}."


def _said(limit: BaseModel | int | None) -> str:
    if isinstance(limit, BaseModel):
        return ", ".join(f"{name} {value:.12g}" for name, value in limit)
    return "not judged" if limit is None else str(limit)


def layered(*layers: Mapping[str, Any]) -> HealthLimits:
    """Later layers go first; a layer that cannot be read counts as not given."""
    merged: dict[str, Any] = {}
    found = DEFAULT_LIMITS
    for layer in layers:
        try:
            found = HealthLimits.model_validate({**merged, **layer})
        except ValidationError:
            continue
        merged.update(layer)
    return found
