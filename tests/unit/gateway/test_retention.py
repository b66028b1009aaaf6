"""How long data is kept, as it is asked for and answered."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from services.gateway.domain.retention import EXAMPLE, RetentionRequest, retention_view
from shared.privacy.retention import CLASSES, DAY_S

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LONG_AGO = NOON - timedelta(days=400)
NOTHING = {"held_until": None, "updated_at": None, "updated_by": None}


def row(of_class: str, days: int, ago: timedelta) -> dict[str, Any]:
    return {"class": of_class, "days": days, "changed_at": NOON - ago, "changed_by": f"of {ago}"}


def test_what_is_not_said_is_as_assay_has_it() -> None:
    days = RetentionRequest().days()
    assert days == {name: one.default_days for name, one in CLASSES.items()}
    assert RetentionRequest(operations_s=None).days() == days
    seconds = {f"{name}_s": kept * DAY_S for name, kept in days.items()}
    assert retention_view([], LONG_AGO, NOON) == seconds | NOTHING


def test_the_example_is_taken() -> None:
    assert RetentionRequest(**EXAMPLE).days()["operations"] == 30


@pytest.mark.parametrize("name", CLASSES)
def test_each_class_has_its_bounds(name: str) -> None:
    least = CLASSES[name].least_days * DAY_S
    assert RetentionRequest(**{f"{name}_s": least}).days()[name] == CLASSES[name].least_days
    for wrong in (least - DAY_S, least + 1, 36_501 * DAY_S, "90", 1.5 * least, -1):
        with pytest.raises(ValidationError, match=f"{name}_s"):
            RetentionRequest.model_validate({f"{name}_s": wrong})


def test_nothing_else_is_taken() -> None:
    with pytest.raises(ValidationError, match="audit_s"):
        RetentionRequest.model_validate({"audit_s": DAY_S})


def test_a_change_is_held_for_a_day_and_told_by_whom() -> None:
    rows = [row("operations", 20, timedelta(hours=3)), row("feedback", 30, timedelta(days=3))]
    shown = retention_view(rows, LONG_AGO, NOON)
    assert (shown["operations_s"], shown["feedback_s"]) == (20 * DAY_S, 30 * DAY_S)
    assert shown["held_until"] == NOON + timedelta(hours=21)
    assert (shown["updated_at"], shown["updated_by"]) == (NOON - timedelta(hours=3), "of 3:00:00")
    assert retention_view(rows[1:], LONG_AGO, NOON)["held_until"] is None


def test_an_installation_that_has_just_been_upgraded_holds_everything() -> None:
    begins = NOON + timedelta(hours=5)
    assert retention_view([], begins, NOON)["held_until"] == begins


def test_minutes_are_kept_as_long_as_what_they_count() -> None:
    assert RetentionRequest(operations_s=730 * DAY_S).days()["minutes"] == 730
    assert RetentionRequest(feedback_s=730 * DAY_S, minutes_s=730 * DAY_S).days()["minutes"] == 730
    with pytest.raises(ValidationError, match="minutes_s must not be shorter"):
        RetentionRequest(feedback_s=730 * DAY_S, minutes_s=729 * DAY_S)
