"""Tests as these tests give them."""

from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from pydantic_core import to_json

from shared.events.experiment import ExperimentEvent
from shared.experiments.config import ExperimentConfig

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PRIMARY = {"name": "success_rate", "role": "primary"}


def body(**changes: Any) -> dict[str, Any]:
    """A configuration as it is sent, with two variants of one half each."""
    return {
        "key": "checkout-model",
        "name": "Is b better?",
        "variants": [
            {"key": "a", "model_id": "m-1", "weight": 0.5, "is_control": True},
            {"key": "b", "model_id": "m-2", "weight": 0.5},
        ],
        "metrics": [PRIMARY],
        **changes,
    }


def weighted(**weights: float) -> list[dict[str, Any]]:
    """Variants by their weights; the first is the control."""
    return [
        {"key": key, "model_id": f"m-{key}", "weight": weight, "is_control": place == 0}
        for place, (key, weight) in enumerate(weights.items())
    ]


def config(**changes: Any) -> ExperimentConfig:
    """The same, read."""
    return ExperimentConfig.model_validate_json(to_json(body(**changes)))


def identity_of(name: str) -> UUID:
    """The id of the test that a test calls so."""
    return uuid5(NAMESPACE_URL, f"ab-test:{name}")


def told(
    name: str, state: str, verdict: str | None = None, at: datetime | None = None, /, **changes: Any
) -> ExperimentEvent:
    """A step of a test's life, as it is published."""
    return ExperimentEvent.model_validate(
        {
            "event_id": uuid4(),
            "tenant_id": "acme",
            "occurred_at": at or datetime.now(UTC),
            "test_id": identity_of(name),
            "key": name,
            "name": f"Is {name} better?",
            "state": state,
            "verdict": verdict,
            "reason": "Ship b: success rate +2.1 points (0.9 to 3.3).",
            **changes,
        }
    )
