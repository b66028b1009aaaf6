"""An alert rule as it is sent, kept and evaluated."""

from enum import StrEnum
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from shared.alerts.catalogue import METRICS, Metric
from shared.events.base import ShortText
from shared.keys import WINDOWS

Finite = Annotated[float, Field(allow_inf_nan=False)]
Seconds = Annotated[int, Field(ge=0, le=30 * 86_400)]
GroupBy = Literal["model_id", "environment", "operation_type", "variant"]
MAX_LABELS = 16
BASELINE_WINDOW = "1h"


class Severity(StrEnum):
    """How loud an alert is."""

    WARNING = "warning"
    CRITICAL = "critical"


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


class Filter(_Strict):
    """Which operations a rule looks at; what is not named may be anything."""

    model_id: ShortText | None = None
    environment: ShortText | None = None
    operation_type: ShortText | None = None
    variant: ShortText | None = None
    agent_id: ShortText | None = None


class Baseline(_Strict):
    """Compare the last hour with another one instead of with a number.

    `same_hour_last_week`: the whole hour of a week ago. `previous_version`: what the version before
    the newest one was last like.
    """

    kind: Literal["previous_version", "same_hour_last_week"]
    delta: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        description="How much worse it may be, in the metric's own unit."
    )


class BurnRate(_Strict):
    """Alert on the speed at which the error budget of 30 days burns."""

    slo: Annotated[float, Field(gt=0, lt=1)] = Field(description="Share that must succeed.")


class AlertRule(_Strict):
    """One rule for every group that it finds."""

    name: ShortText
    metric: str = "error_rate"
    operator: Literal["<", "<=", ">", ">="] | None = None
    warning: Finite | None = None
    critical: Finite | None = None
    baseline: Baseline | None = None
    burn_rate: BurnRate | None = None
    window: str = "1h"
    filter: Filter = Filter()
    group_by: Annotated[tuple[GroupBy, ...], Field(max_length=4)] = ("model_id", "environment")
    min_sample: Annotated[int, Field(ge=1, le=1_000_000)] = 25
    hold_for_s: Seconds = 0
    gate: Literal["interval", "point"] = "interval"
    recovery: Finite | None = None
    no_data: Literal["keep", "resolve", "alert"] = "keep"
    renotify_s: Annotated[int, Field(ge=60, le=30 * 86_400)] = 14_400
    channels: tuple[UUID, ...] | None = Field(None, description="None means all.", max_length=32)
    labels: Annotated[dict[ShortText, ShortText], Field(max_length=MAX_LABELS)] = {}
    enabled: bool = True

    @field_validator("metric")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in METRICS:
            raise PydanticCustomError(
                "unknown_metric",
                "is no metric; there are: {known}",
                {"known": ", ".join(sorted(METRICS))},
            )
        return name

    @field_validator("baseline")
    @classmethod
    def _reachable(cls, baseline: Baseline | None, info: ValidationInfo) -> Baseline | None:
        metric = METRICS.get(info.data.get("metric", ""))
        if baseline is not None and metric is not None and metric.is_share and baseline.delta >= 1:
            raise PydanticCustomError(
                "share", "{metric} is a share: delta lies below 1", {"metric": metric.name}
            )
        return baseline

    @field_validator("window")
    @classmethod
    def _possible(cls, window: str, info: ValidationInfo) -> str:
        if window not in WINDOWS:
            raise PydanticCustomError(
                "unknown_window", "must be one of {known}", {"known": ", ".join(WINDOWS)}
            )
        if info.data.get("baseline") is not None and window != BASELINE_WINDOW:
            raise PydanticCustomError(
                "baseline",
                "a baseline compares hours: use window {window}",
                {"window": BASELINE_WINDOW},
            )
        return window

    @field_validator("recovery")
    @classmethod
    def _of_limits(cls, value: float | None, info: ValidationInfo) -> float | None:
        if value is not None and info.data.get("baseline"):
            raise PydanticCustomError(
                "recovery", "a baseline recovers at half its delta; leave recovery out", {}
            )
        return value

    @field_validator("group_by", "channels", mode="before")
    @classmethod
    def _from_list(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value

    @field_validator("group_by")
    @classmethod
    def _by_model(cls, names: tuple[GroupBy, ...]) -> tuple[GroupBy, ...]:
        # Models are spread over processes: none of them sees all that belong to one environment.
        if "model_id" not in names or len(set(names)) < len(names):
            raise PydanticCustomError("group_by", "must contain model_id, and each name once", {})
        return names

    @model_validator(mode="after")
    def _one_question(self) -> Self:
        ways = [self.operator is not None, self.baseline is not None, self.burn_rate is not None]
        if sum(ways) != 1:
            raise PydanticCustomError(
                "question", "needs exactly one of operator (with limits), baseline, burn_rate", {}
            )
        limits = [one for one in (self.warning, self.critical) if one is not None]
        if (self.operator is not None) != bool(limits):
            raise PydanticCustomError(
                "limits", "an operator needs warning, critical or both, and they need it", {}
            )
        if self.burn_rate and self.metric != "error_rate":
            raise PydanticCustomError("metric", "a burn rate is that of error_rate", {})
        if self.no_data != "keep" and self.window == "7d":
            raise PydanticCustomError(
                "no_data", "two windows of 7d are more than is kept; take a shorter window", {}
            )
        self._ordered(limits)
        self._countable()
        return self

    def _countable(self) -> None:
        """Agents and versions are counted from stored operations of the last day only."""
        if not self.needs_rows:
            return
        if self.of_agent and (self.burn_rate or self.baseline):
            raise PydanticCustomError(
                "agent", "with filter.agent_id a rule needs an operator and limits", {}
            )
        if WINDOWS[self.window] > WINDOWS["24h"]:
            raise PydanticCustomError(
                "agent", "with filter.agent_id the window is at most 24h; take a shorter one", {}
            )
        if self.watched.name.startswith("feedback."):
            raise PydanticCustomError(
                "rows", "feedback names neither agent nor version; watch another metric", {}
            )
        if self.of_version and self.watched.exact:
            raise PydanticCustomError(
                "rows",
                "a total tells how much a version is used, not how good it is; watch a mean",
                {},
            )

    def _ordered(self, limits: list[float]) -> None:
        """Critical lies beyond warning, and recovery on the other side of both."""
        chain = [*([] if self.recovery is None else [self.recovery]), *limits]
        if chain != sorted(chain, reverse=not self.is_upper):
            order = "recovery <= warning <= critical" if self.is_upper else "the other way round"
            raise PydanticCustomError(
                "order", "with this operator the limits must go {order}", {"order": order}
            )
        if self.watched.is_share and not all(0 <= one <= 1 for one in chain):
            raise PydanticCustomError(
                "share", "{metric} is a share: limits lie between 0 and 1", {"metric": self.metric}
            )

    @property
    def watched(self) -> Metric:
        """The metric itself."""
        return METRICS[self.metric]

    @property
    def of_agent(self) -> bool:
        """Whether it looks at one agent's operations."""
        return self.filter.agent_id is not None

    @property
    def labels_of_group(self) -> tuple[str, ...]:
        """What each of its groups is known by."""
        return (*self.group_by, "agent_id") if self.of_agent else self.group_by

    @property
    def of_version(self) -> bool:
        """Whether it compares versions."""
        return self.baseline is not None and self.baseline.kind == "previous_version"

    @property
    def needs_rows(self) -> bool:
        """Whether no minute can answer it: there is no end of agents and versions."""
        return self.of_agent or self.of_version

    @property
    def is_upper(self) -> bool:
        """Whether more is worse."""
        return self.operator is None or self.operator.startswith(">")
