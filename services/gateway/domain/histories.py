"""What an A/B test's results said over time, as it is answered."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import BaseModel, Field

from services.gateway.domain.experiments import KeptTest
from shared.experiments.metrics import MetricConfig, MetricName, Role, unit_of_difference
from shared.experiments.results import Count, Number

HIDDEN_WHILE: Final = "BROKEN"
Row = Any  # a row of the store: members by column
PointView = Annotated[
    tuple[datetime, Count, Number, Number, Number],
    Field(
        description="One look: `at`, `units`, `difference`, `low`, `high`. `at` is the time of the "
        "last event that it knew; `units` are those of both variants with a value of the metric; "
        "the difference, variant minus control, and the ends of its interval are in `unit`."
    ),
]


class VariantHistory(BaseModel):
    """A variant beside the control, look by look."""

    variant: str
    control: str
    excluded_zero_at: datetime | None = Field(
        description="`at` of the first look whose interval excluded 0, whatever came after; null: "
        "none has."
    )
    points: list[PointView] = Field(
        description="Oldest first, 501 at most: the last look of each slot of time, and the first "
        "that excluded 0."
    )


class MetricHistory(BaseModel):
    """One metric."""

    metric: MetricName
    role: Role
    unit: str = Field(
        description="Of difference, low and high: `share` (0.01 is one percentage point), `USD`, "
        "`tokens`, `rating`; `ln`, the logarithm of a ratio, for response times."
    )
    variants: list[VariantHistory]


class HistoryAnswer(BaseModel):
    """Intervals that hold at every look, as the looks had them."""

    test_id: UUID
    hidden: bool = Field(
        description="While the verdict is `BROKEN` no points are told: they rest on broken data."
    )
    metrics: list[MetricHistory] = Field(description="The primary metric first.")


def history_view(
    test: KeptTest, rows: Sequence[Row], metric: MetricName | None, since: datetime | None
) -> dict[str, Any]:
    """The answer of GET …/history; rows are oldest first, of two of one time a first one first."""
    is_hidden = test.verdict == HIDDEN_WHILE
    told = [] if is_hidden else rows
    metrics = [one for one in test.config.metrics if metric in (None, one.name)]
    ordered = sorted(metrics, key=lambda one: one.role != "primary")
    return {
        "test_id": test.test_id,
        "hidden": is_hidden,
        "metrics": [_of_metric(test, told, one, since) for one in ordered],
    }


def _of_metric(
    test: KeptTest, rows: Sequence[Row], metric: MetricConfig, since: datetime | None
) -> dict[str, Any]:
    control = test.config.control.key
    mine = [row for row in rows if row["metric"] == metric.name]
    variants = [one.key for one in test.config.variants if one.key != control]
    return {
        "metric": metric.name,
        "role": metric.role,
        "unit": unit_of_difference(metric.name),
        "variants": [
            {"variant": key, "control": control}
            | _of_variant([row for row in mine if row["variant"] == key], since)
            for key in variants
        ],
    }


def _of_variant(rows: Sequence[Row], since: datetime | None) -> dict[str, Any]:
    points: list[tuple[Any, ...]] = []
    for row in rows:
        point = tuple(row[name] for name in ("at", "units", "difference", "low", "high"))
        is_asked = since is None or row["at"] >= since
        if is_asked and point not in points[-1:]:  # the first without 0 may be its slot's last too
            points.append(point)
    first = next((row["at"] for row in rows if row["is_first"]), None)
    return {"excluded_zero_at": first, "points": points}
