"""SQL of alerts as they are now: each step replaces what an earlier one said."""

from collections.abc import Sequence

from pydantic_core import to_json

from shared.delivery.postgres import Session
from shared.events.alert import AlertEvent

COLUMNS = (
    "tenant_id", "alert_id", "rule_id", "rule_name", "model_id", "environment", "labels", "state",
    "severity", "value", "threshold", "low", "high", "sample", "observed_over", "reason", "step",
    "stepped_at", "started_at", "fired_at", "acknowledged_until", "resolved_at",
)  # fmt: skip
KEY = ("tenant_id", "alert_id")


async def put(connection: Session, steps: Sequence[AlertEvent]) -> None:
    """Bring alerts up to their last known step; an older one changes nothing.

    Of two with one number the later counts: Redis may have lost the first, after it was told.
    """
    values = ", ".join(f"${place}" for place in range(1, len(COLUMNS) + 1))
    changed = ", ".join(f"{name} = EXCLUDED.{name}" for name in COLUMNS if name not in KEY)
    await connection.executemany(
        f"""
        INSERT INTO performance_alerts AS old ({", ".join(COLUMNS)}) VALUES ({values})
        ON CONFLICT ({", ".join(KEY)}) DO UPDATE SET {changed}
         WHERE (old.step, old.stepped_at) < (EXCLUDED.step, EXCLUDED.stepped_at)
        """,
        [_row(step) for step in sorted(steps, key=lambda one: (one.tenant_id, one.alert_id))],
    )


def _row(step: AlertEvent) -> tuple[object, ...]:
    low, high = (step.interval.low, step.interval.high) if step.interval else (None, None)
    resolved_at = step.occurred_at if step.state == "resolved" else None
    return (
        *(step.tenant_id, step.alert_id, step.rule_id, step.rule_name, step.model_id),
        *(step.labels.get("environment"), to_json(step.labels).decode()),
        *(step.state, step.severity, step.value, step.threshold, low, high, step.sample),
        *(step.window, step.reason, step.step, step.occurred_at, step.started_at, step.fired_at),
        *(step.acknowledged_until, resolved_at),
    )
