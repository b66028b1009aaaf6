"""Which feedback is asked for."""

from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

from services.gateway.domain.problems import wrong_field

DEFAULT: Final = timedelta(days=30)
MOST: Final = timedelta(days=90)
Source = Literal["user", "reviewer", "code", "model"]
By = Literal["model", "aspect", "agent", "version", "source"]


class Asked(NamedTuple):
    """Feedback of a span (by when it was given), with filters; `None` = all."""

    start: datetime
    end: datetime
    model_id: str | None = None
    agent_id: str | None = None
    environment: str | None = None
    operation_type: str | None = None
    source: str | None = None


def span_of(
    start: datetime | None, end: datetime | None, now: datetime
) -> tuple[datetime, datetime]:
    """The asked span, by default the last 30 days; at most 90."""
    try:
        # Without an end, also what clocks ahead of ours dated.
        until = end or now + timedelta(minutes=1)
        since = start or until - DEFAULT
        is_long = until - since > MOST
        _ = since - MOST  # what is compared with a span lies before it
    except OverflowError as error:
        raise wrong_field("from", "is too far from any feedback") from error
    if since >= until:
        raise wrong_field("from", "must be before to")
    if is_long:
        raise wrong_field("from", f"at most {MOST.days} days can be asked at once")
    return since, until
