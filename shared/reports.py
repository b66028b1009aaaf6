"""What each process says of itself, for `GET /ai/system`: one field of a hash per process."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from pydantic import BaseModel, ValidationError

# Whoever has said nothing for so long is gone.
STALE_AFTER = timedelta(seconds=20)


class FenceReport(BaseModel):
    """Where a process last wrote."""

    topic: str
    partition: int
    next_offset: int


class Report(BaseModel):
    """One process; null where a number makes no sense for its service."""

    service: str
    instance: str
    at: datetime
    started_at: datetime
    partitions: int | None = None
    lag: int | None = None
    event_age_s: float | None = None
    events_per_second: float | None = None
    errors: int | None = None
    """Records that could not be read, since the process began."""
    fenced_writes: int | None = None
    incidents: dict[str, str] = {}
    last_fence: FenceReport | None = None
    queue_depth: int | None = None
    """What waits inside the service to go out: letters, steps, notifications, requests."""
    cpu_percent: float
    memory_bytes: int


def alive(reports: Mapping[bytes, bytes], now: datetime) -> tuple[list[Report], list[bytes]]:
    """Of all that was ever said: what still holds, and the fields of those who are gone."""
    found, gone = [], []
    for field, text in reports.items():
        try:
            said = Report.model_validate_json(text)
        except ValidationError:
            gone.append(field)  # another version's, or nobody's: whoever lives says it anew
            continue
        if now - said.at > STALE_AFTER:
            gone.append(field)
        else:
            found.append(said)
    return sorted(found, key=lambda one: (one.service, one.instance)), gone
