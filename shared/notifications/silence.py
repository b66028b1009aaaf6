"""A silence: who does not want to hear of what, until when."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.events.base import ShortText
from shared.events.experiment import ExperimentEvent

MAX_MATCHERS = 16
NAMED: Final = ("model_id", "severity", "rule_id", "rule_name", "alert_id")


class Silence(BaseModel):
    """Alerts whose labels have all these values are told to nobody for a while."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)

    matchers: Annotated[
        dict[ShortText, ShortText], Field(min_length=1, max_length=MAX_MATCHERS)
    ] = Field(
        description="Label to value: the alert's labels, and model_id, severity, rule_id, "
        "rule_name, alert_id; of A/B tests test_id, test_key, test_name, state, verdict."
    )
    starts_at: AwareDatetime | None = Field(None, description="Now, unless it is said.")
    ends_at: AwareDatetime
    comment: Annotated[str, Field(max_length=2_048)] = ""


def names_of(labels: Mapping[str, str], alert: Mapping[str, Any]) -> dict[str, str]:
    """What matchers may name of an alert: its labels and some of its members."""
    return {**labels, **{name: str(alert[name]) for name in NAMED}}


def names_of_test(event: ExperimentEvent) -> dict[str, str]:
    """What matchers may name of a step of an A/B test."""
    return {
        "test_id": str(event.test_id),
        "test_key": event.key,
        "test_name": event.name,
        "state": event.state,
        **({"verdict": event.verdict} if event.verdict else {}),
    }


def matches(matchers: Mapping[str, str], names: Mapping[str, str]) -> bool:
    """Whether every matcher names a value that is there."""
    return all(names.get(name) == value for name, value in matchers.items())


def is_active(starts_at: datetime, ends_at: datetime, now: datetime) -> bool:
    """Whether a silence holds right now."""
    return starts_at <= now < ends_at
