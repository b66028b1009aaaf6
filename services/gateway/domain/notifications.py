"""Channels, silences and deliveries as they are answered."""

from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic_core import from_json

from services.gateway.domain.alerts import AlertView
from shared.notifications.channel import ChannelType

DeliveryState = Literal[
    "pending",
    "sending",
    "delivered",
    "failed",
    "unknown",
    "silenced",
    "inhibited",
    "skipped",
    "expired",
]
UNFINISHED = ("pending", "sending")
HIDDEN = "…"


class KeptChannel(BaseModel):
    """A channel, and who made it when; its secret is never answered."""

    model_config = ConfigDict(use_enum_values=True)

    id: UUID
    name: str
    type: ChannelType
    url: str
    send_resolved: bool
    created_at: datetime
    created_by: str


class ChannelsPage(BaseModel):
    """A page of channels."""

    items: list[KeptChannel]
    next_cursor: str | None


class KeptSilence(BaseModel):
    """A silence, and who made it when."""

    id: UUID
    matchers: dict[str, str]
    starts_at: datetime
    ends_at: datetime
    comment: str
    created_at: datetime
    created_by: str


class SilencesPage(BaseModel):
    """A page of silences."""

    items: list[KeptSilence]
    next_cursor: str | None


class SilenceTrial(BaseModel):
    """Which live alerts a silence holds back."""

    silence_id: UUID
    as_of: datetime
    matches: list[AlertView]


class DeliveryView(BaseModel):
    """What became of one notification."""

    id: UUID
    channel_id: UUID
    kind: Literal["alert", "test", "experiment"]
    alert_id: UUID | None
    test_id: UUID | None
    """The A/B test, where the step is one of a test."""
    told: str | None
    """The state of the alert; of an A/B test its state or verdict."""
    step: int | None
    alert_state: Literal["firing", "acknowledged", "resolved"] | None
    severity: Literal["warning", "critical"] | None
    state: DeliveryState
    reason: str
    status: int | None
    """The receiver's HTTP status."""
    attempts: int
    next_attempt_at: datetime | None
    created_at: datetime
    finished_at: datetime | None


class DeliveriesPage(BaseModel):
    """A page of deliveries."""

    items: list[DeliveryView]
    next_cursor: str | None


def channel_view(row: Any, *, whole: bool) -> dict[str, Any]:
    """A stored channel; Slack's URL is a secret, whole only for those who may make one."""
    shown = dict(row)
    shown["id"] = shown.pop("channel_id")
    if shown["type"] == ChannelType.SLACK and not whole:
        parts = urlsplit(shown["url"])
        shown["url"] = f"{parts.scheme}://{parts.netloc}/{HIDDEN}"
    return shown


def silence_view(row: Any) -> dict[str, Any]:
    """A stored silence."""
    shown = dict(row)
    shown["id"] = shown.pop("silence_id")
    shown["matchers"] = from_json(shown["matchers"])
    return shown


def delivery_view(row: Any) -> dict[str, Any]:
    """A stored delivery."""
    shown = dict(row)
    shown["id"] = shown.pop("delivery_id")
    shown["next_attempt_at"] = shown.pop("due_at")
    is_of_test = shown["kind"] == "experiment"
    shown["told"] = shown["alert_state"]
    shown["test_id"] = shown["alert_id"] if is_of_test else None
    if is_of_test:
        shown["alert_id"] = shown["alert_state"] = shown["step"] = None
    if shown["kind"] == "test":
        shown["step"] = None
    if shown["state"] == "delivered":
        shown["next_attempt_at"] = None  # Alertmanager is reminded; that is no news
    return shown
