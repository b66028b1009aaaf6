"""The metrics answer: what the gateway serves and `metrics` keeps ready in Redis.

A model's view (`keys.view`) holds, per window, field `<window>`: a `MetricsView` as JSON, to which
the reader adds `as_of` (when the model's share was last looked at, see `keys.LOOKED`) and
`freshness_ms`; and field `<window>:series`: a JSON list of
[[model_id, environment, operation_type, variant], {measure: integer}], from which the answer to a
filtered question is summed; and field `status`: a `StatusView`. `keys.models` holds one `ModelLine`
per model.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel


class Health(StrEnum):
    """How a model is; `unknown` when too few operations were seen to say."""

    EXCELLENT = "excellent"
    GOOD = "good"
    DEGRADED = "degraded"
    CRITICAL = "critical"
    UNKNOWN = "unknown"


class ValueView(BaseModel):
    """A number with its 95 % interval; null where nothing was observed."""

    value: float | None = None
    low: float | None = None
    high: float | None = None


class ResponseTimeView(BaseModel):
    """Milliseconds; `low` and `high` belong to the geometric mean."""

    mean: float | None = None
    geometric_mean: float | None = None
    low: float | None = None
    high: float | None = None
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None


class TokensView(BaseModel):
    """Totals of the window."""

    input: int | None = None
    output: int | None = None
    cached: int | None = None
    reasoning: int | None = None


class CostView(BaseModel):
    """US dollars; operations whose price is unknown are in neither number."""

    total: float | None = None
    per_operation: float | None = None


class ConfidenceView(BaseModel):
    """Stated confidence, held against the operations' own success."""

    mean: float | None = None
    low: float | None = None
    high: float | None = None
    brier: float | None = None
    calibration_error: float | None = None


class ErrorView(BaseModel):
    """One kind of error among all operations of the window."""

    type: str
    count: int
    share: float


class FeedbackView(BaseModel):
    """What people said in the window."""

    count: int = 0
    rating: ValueView = ValueView()
    helpful: ValueView = ValueView()
    accurate: ValueView = ValueView()
    relevant: ValueView = ValueView()
    fast: ValueView = ValueView()


class MeasuresView(BaseModel):
    """Everything measured over some span of time."""

    sample: int = 0
    success_rate: ValueView = ValueView()
    response_time_ms: ResponseTimeView = ResponseTimeView()
    tokens: TokensView = TokensView()
    cost_usd: CostView = CostView()
    confidence: ConfidenceView = ConfidenceView()
    errors: list[ErrorView] = []
    throughput_per_minute: float | None = None
    feedback: FeedbackView = FeedbackView()


class MetricsView(MeasuresView):
    """Answer of GET /ai/metrics/{model_id}, but for `as_of` and `freshness_ms`."""

    model_id: str
    window: str
    window_start: datetime
    status: Health
    reasons: list[str]
    stale: bool = False


class MeasureStatus(BaseModel):
    """One side of a model's health over the narrowest window that holds enough."""

    name: str
    status: Health
    value: float | None = None
    low: float | None = None
    high: float | None = None
    sample: int
    window: str
    reason: str


class PartStatus(BaseModel):
    """The health of one environment's operations of one type; "" where they do not say."""

    environment: str | None
    operation_type: str | None
    status: Health
    since: datetime | None = None
    reasons: list[str]
    measures: list[MeasureStatus]


class StatusView(BaseModel):
    """Answer of GET /ai/models/{model_id}/status, but for `as_of` and `freshness_ms`.

    `since` is when the status was entered, null where that is not known.
    """

    model_id: str
    status: Health
    since: datetime | None = None
    reasons: list[str]
    measures: list[MeasureStatus]
    parts: list[PartStatus]
    limits: dict[str, Any]
    stale: bool = False


class ModelLine(BaseModel):
    """One line of GET /ai/models: the model over the last hour."""

    model_id: str
    status: Health
    reasons: list[str]
    sample: int
    success_rate: ValueView
    response_time_ms: ResponseTimeView
