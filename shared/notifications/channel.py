"""A notification channel as it is sent and kept."""

import base64
import binascii
import re
from enum import StrEnum
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from shared.events.base import ShortText

PAGERDUTY = "https://events.pagerduty.com/v2/enqueue"
SIGNING_PREFIX = "whsec_"
LEAST_SECRET_BYTES = 16
PRINTABLE = re.compile(r"[!-~]+")


class ChannelType(StrEnum):
    """How a channel wants to be spoken to."""

    WEBHOOK = "webhook"
    SLACK = "slack"
    PAGERDUTY = "pagerduty"
    ALERTMANAGER = "alertmanager"


# A repeat does no harm: the receiver knows it by webhook-id, dedup_key, or the alert's labels.
KNOWS_REPEATS = frozenset({ChannelType.WEBHOOK, ChannelType.PAGERDUTY, ChannelType.ALERTMANAGER})


class Channel(BaseModel):
    """Where alerts are told."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, hide_input_in_errors=True, use_enum_values=True
    )

    name: ShortText
    type: Annotated[ChannelType, Field(strict=False)]
    url: Annotated[str, Field(max_length=2_048)] = Field(
        PAGERDUTY, description="https; needed unless the type is pagerduty.", validate_default=False
    )
    secret: Annotated[str, Field(min_length=1, max_length=512)] | None = Field(
        None,
        description="webhook: the signing secret (whsec_ and base64), without which requests are "
        "not signed; pagerduty: the integration key; alertmanager: a bearer token. Never answered.",
        json_schema_extra={"writeOnly": True},
    )
    send_resolved: bool = True

    @field_validator("url")
    @classmethod
    def _reachable(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise _wrong_url(str(error)) from error
        if parts.scheme not in ("https", "http") or not parts.hostname or port == 0:
            raise _wrong_url("must be an https URL with a host")
        if parts.username or parts.password or parts.fragment:
            raise _wrong_url("must hold no credentials and no fragment; use secret")
        if not PRINTABLE.fullmatch(url):
            raise _wrong_url("must be plain ASCII without spaces; encode the rest")
        return url

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.type != ChannelType.PAGERDUTY and "url" not in self.model_fields_set:
            raise PydanticCustomError("url_missing", "needs a url: where to send", {})
        if self.type == ChannelType.PAGERDUTY and self.secret is None:
            raise PydanticCustomError("secret_missing", "needs the integration key as secret", {})
        if self.type == ChannelType.SLACK and self.secret is not None:
            raise PydanticCustomError("secret", "slack takes no secret: its url is one", {})
        if self.type == ChannelType.ALERTMANAGER and urlsplit(self.url).query:
            raise PydanticCustomError("url", "url must be Alertmanager's root, without a query", {})
        if self.secret is not None:
            _check_secret(self.secret)
            if self.type == ChannelType.WEBHOOK:
                _check_signing(self.secret)
        return self


def _check_secret(secret: str) -> None:
    """It goes into a header or a body as it is: a line's end copied along would break both."""
    if not PRINTABLE.fullmatch(secret):
        raise PydanticCustomError(
            "secret", "secret must be plain ASCII without spaces and line ends", {}
        )


def _check_signing(secret: str) -> None:
    try:
        plain = secret.removeprefix(SIGNING_PREFIX)
        key = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except binascii.Error:
        key = b""
    if len(key) < LEAST_SECRET_BYTES:
        raise PydanticCustomError(
            "signing_secret",
            "secret must be whsec_ and the base64 of at least {least} random bytes",
            {"least": LEAST_SECRET_BYTES},
        )


def _wrong_url(why: str) -> PydanticCustomError:
    return PydanticCustomError("url", "{why}", {"why": why})
