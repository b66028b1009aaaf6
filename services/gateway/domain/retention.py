"""How long data is kept, as it is asked for and answered: seconds, in whole days."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from shared.privacy.retention import CLASSES, DAY_S

MOST_DAYS = 36_500
HELD = timedelta(days=1)
"""For so long after a change nothing of that class goes, so that a slip can be taken back."""
EXAMPLE = {
    "operations_s": 30 * DAY_S,
    "feedback_s": 90 * DAY_S,
    "dead_letters_s": 14 * DAY_S,
    "minutes_s": 400 * DAY_S,
}


def _least(name: str) -> int:
    return CLASSES[name].least_days * DAY_S


def _kept(name: str, what: str) -> Any:
    return Annotated[
        int | None,
        Field(
            ge=_least(name),
            le=MOST_DAYS * DAY_S,
            multiple_of=DAY_S,
            description=f"{what}; absent: {CLASSES[name].default_days} days.",
        ),
    ]


class RetentionRequest(BaseModel):
    """How long each class is kept; all of them are replaced."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    operations_s: _kept("operations", "Operations, and training data that was made of them") = None  # type: ignore[valid-type]
    feedback_s: _kept("feedback", "What people said of them") = None  # type: ignore[valid-type]
    dead_letters_s: _kept("dead_letters", "Records that could not be read") = None  # type: ignore[valid-type]
    minutes_s: _kept("minutes", "Counts by minute, which name nobody") = None  # type: ignore[valid-type]

    @model_validator(mode="after")
    def _minutes_outlive_what_they_count(self) -> "RetentionRequest":
        if self.minutes_s is not None and self.minutes_s // DAY_S < self._longest():
            raise PydanticCustomError(
                "too_short", "minutes_s must not be shorter than operations_s and feedback_s"
            )
        return self

    def days(self) -> dict[str, int]:
        """Days by class. Minutes that nobody speaks of are kept as long as what they count."""
        minutes = self._of("minutes")
        return {name: self._of(name) for name in CLASSES} | {
            "minutes": max(minutes, self._longest())
        }

    def _longest(self) -> int:
        return max(self._of("operations"), self._of("feedback"))

    def _of(self, name: str) -> int:
        given: int | None = getattr(self, f"{name}_s")
        return CLASSES[name].default_days if given is None else given // DAY_S


class RetentionView(BaseModel):
    """How long each class is kept; it goes within days after that."""

    operations_s: int
    feedback_s: int
    dead_letters_s: int
    minutes_s: int
    held_until: datetime | None = Field(
        description="Until then nothing goes of what was changed; null: nothing is held."
    )
    updated_at: datetime | None
    updated_by: str | None


def retention_view(rows: Iterable[Any], not_before: datetime, now: datetime) -> dict[str, Any]:
    """What is answered, from what was changed of a tenant and when the installation begins."""
    changed = {row["class"]: row for row in rows}
    last = max(changed.values(), key=lambda row: row["changed_at"], default=None)
    held = max([not_before, *(row["changed_at"] + HELD for row in changed.values())])
    days = {
        name: changed[name]["days"] if name in changed else one.default_days
        for name, one in CLASSES.items()
    }
    return {
        **{f"{name}_s": kept * DAY_S for name, kept in days.items()},
        "held_until": held.astimezone(UTC) if held > now else None,
        "updated_at": None if last is None else last["changed_at"],
        "updated_by": None if last is None else last["changed_by"],
    }
