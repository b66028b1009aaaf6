"""Shapes of the analysis' answers, for the OpenAPI document."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from services.gateway.domain.analysis.asked import By

Aspect = Literal["helpful", "accurate", "relevant", "fast"]
Label = Literal["negative", "neutral", "positive", "abstained"]
Metric = Literal["rating", "helpful", "accurate", "relevant", "fast", "negative_share"]


class Counted(BaseModel):
    """A value with its 95 % interval, clustered by person; nulls where nobody judged."""

    value: float | None
    low: float | None
    high: float | None
    count: int


class Said(BaseModel):
    """What was said of one thing."""

    count: int = Field(description="Votes that count: of a person the last one per operation.")
    comments: int
    voters: int = Field(description="People of whom one knows that they are different.")
    sentiment: dict[Label, Counted]
    rating: Counted
    aspects: dict[Aspect, Counted]
    from_comment: dict[Aspect, int] = Field(description="Judgements that only a comment told.")
    conflicts: int = Field(description="Votes that contradict their own comment.")
    conflict_share: Counted
    quality: Counted = Field(description="Of training rows of those operations' answers.")


class GroupSaid(Said):
    """The same of a group; null in its name is what was not said, or not found yet."""

    group: dict[str, str | None]


class Waiting(BaseModel):
    """Feedback whose operation has not come, of the whole tenant and of any age."""

    feedback: int
    operations: int
    oldest_at: datetime | None
    operations_over_24h: int


class SummaryAnswer(BaseModel):
    """Feedback of a span."""

    as_of: datetime
    start: Annotated[datetime, Field(alias="from")]
    to: datetime
    by: By
    groups: int
    total: Said
    items: list[GroupSaid]
    """The largest first, at most a hundred."""
    waiting: Waiting


class Point(Counted):
    """One day (UTC)."""

    day: date


class DailyTrend(BaseModel):
    """Theil-Sen's slope; `rising` and `falling` only if its interval excludes 0."""

    direction: Literal["rising", "falling", "steady", "unknown"]
    slope_per_day: float | None
    low: float | None
    high: float | None
    p_value: float | None = Field(description="Mann-Kendall's, corrected for autocorrelation.")
    days: int


class Change(BaseModel):
    """The last seven days of the span less the seven before.

    Nulls where too few judged, and counts of 0 where the span is shorter than both.
    """

    before: Counted
    after: Counted
    difference: float | None
    low: float | None
    high: float | None
    p_value: float | None
    p_adjusted: float | None = Field(description="For all metrics together, by Holm.")
    significant: bool | None


class MetricTrend(BaseModel):
    """How one metric moves."""

    points: list[Point]
    trend: DailyTrend
    change: Change


class FeedbackTrends(BaseModel):
    """How feedback moves, as it was `age_s` seconds ago."""

    as_of: datetime
    age_s: int
    start: Annotated[datetime, Field(alias="from")]
    to: datetime
    metrics: dict[Metric, MetricTrend]


class Example(BaseModel):
    """What somebody said, without personal data: text, never markup."""

    operation_id: str
    comment: str


class ThemeView(BaseModel):
    """What negative comments of a model have in common."""

    model_id: str
    words: list[str]
    comments: int
    share: Counted
    examples: list[Example]


class ThemesView(BaseModel):
    """Themes of the newest 5,000 negative comments, or why there are none."""

    comments_read: int
    newest_only: bool
    reason: str | None
    items: list[ThemeView]


class Recommendation(BaseModel):
    """One piece of advice."""

    rank: int
    kind: Literal[
        "model_behind",
        "version_fell",
        "prompt_version_fell",
        "raters_disagree",
        "theme",
        "operations_missing",
    ]
    sentence: str
    action: str
    model_id: str | None
    operation_type: str | None
    expected_effect: float = Field(
        description="The difference times the share it concerns: of all judgements, 0 to 1."
    )
    evidence: dict[str, object]


class Recommendations(BaseModel):
    """Advice, the most helpful first, as it was `age_s` seconds ago."""

    as_of: datetime
    age_s: int
    start: Annotated[datetime, Field(alias="from")]
    to: datetime
    feedback: int
    comparisons: int
    reason: str | None = Field(description="Why there is none.")
    items: list[Recommendation]
    themes: ThemesView
    waiting: Waiting
