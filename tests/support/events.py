"""Events for tests: valid by default, told apart by a number."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

SPACE = UUID("6f2b6f4e-7a43-4b86-9a53-1d0c1f0e5a11")


def event_id(number: int) -> str:
    """The same id for the same number, in every run."""
    return str(uuid5(SPACE, str(number)))


def now_text(*, ago_s: float = 0) -> str:
    """An instant that consumers accept, as RFC 3339."""
    return (datetime.now(UTC) - timedelta(seconds=ago_s)).isoformat()


def operation(number: int, **changes: Any) -> dict[str, Any]:
    """An operation that differs from its neighbours in everything that is summed."""
    fields: dict[str, Any] = {
        "event_id": event_id(number),
        "tenant_id": "acme",
        "occurred_at": now_text(ago_s=number % 240),
        "operation_id": f"op-{number}",
        "model_id": f"model-{number % 3}",
        "provider": "tests",
        "success": number % 10 != 0,
        "error_type": "timeout" if number % 10 == 0 else None,
        "response_time_ms": 5.0 + (number * 7919 % 1000) / 3,
        "input_tokens": number % 1000,
        "output_tokens": number % 77,
        "confidence": (number % 100) / 100,
        "cost_usd": (number % 13) / 1000,
        "agent_id": "agent",
        "user_id": f"user-{number % 50}",
        "variant": "ab"[number % 2],
        "metadata": {"region": "eu", "shard": number % 4},
    }
    return {name: value for name, value in (fields | changes).items() if value is not None}


def feedback(number: int, **changes: Any) -> dict[str, Any]:
    """Feedback on the operation of the same number."""
    fields: dict[str, Any] = {
        "event_id": event_id(10_000_000 + number),
        "tenant_id": "acme",
        "occurred_at": now_text(ago_s=number % 240),
        "operation_id": f"op-{number}",
        "rating": 1 + number % 5,
        "helpful": number % 2 == 0,
        "user_id": f"user-{number % 50}",
    }
    return {name: value for name, value in (fields | changes).items() if value is not None}


def encoded(event: dict[str, Any]) -> bytes:
    """An event's bytes as a plain producer would send them."""
    return json.dumps(event).encode()
