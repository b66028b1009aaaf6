"""Settings of the gateway."""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr

from services.gateway.domain.quotas import Kind, Quota
from services.gateway.domain.stream import StreamBounds
from services.gateway.oidc_settings import OidcSettings
from shared.settings import (
    MIN_SECRET,
    AuditSettings,
    MaskSettings,
    NotifyTargetSettings,
    PostgresSettings,
    SecretSettings,
    SharedSettings,
)

ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?")


def _origins(given: str) -> str:
    for one in given.split():
        if ORIGIN.fullmatch(one) is None:
            raise ValueError(f"{one!r} is no origin, as https://dashboard.example.org is one")
    return given


def _long_enough(given: SecretStr) -> SecretStr:
    if any(len(one) < MIN_SECRET for one in given.get_secret_value().split()):
        raise ValueError(f"each has at least {MIN_SECRET} characters")
    return given


class GatewaySettings(
    SharedSettings,
    PostgresSettings,
    SecretSettings,
    NotifyTargetSettings,
    AuditSettings,
    OidcSettings,
    MaskSettings,
):
    """Everything the gateway reads from the environment."""

    gateway_host: str = "127.0.0.1"
    gateway_port: int = Field(8080, ge=1, le=65535)
    gateway_most_requests: int = Field(
        1_000, ge=1, description="Writes under way at once; beyond that 503 `overloaded`."
    )
    gateway_most_bytes: int = Field(
        8 * 1024 * 1024,
        ge=1024 * 1024,
        description="Bytes that these may bring together; fewer while answers are slow.",
    )
    gateway_most_reads: int = Field(
        256, ge=1, description="Everything but events under way at once; beyond that 503."
    )
    gateway_most_connections: int = Field(
        2_000, ge=1, description="Open connections; more are closed at once."
    )
    gateway_within_s: float = Field(
        45,
        gt=0,
        le=600,
        description="How long an answer may take (s), then 503 `too-slow`; exports have their own.",
    )
    gateway_writes_per_s: float = Field(
        500, ge=0, description="Writes of a tenant per second, over all gateways; 0 = no limit."
    )
    gateway_reads_per_s: float = Field(500, ge=0, description="Its reads per second.")
    gateway_heavy_reads_per_s: float = Field(
        20, ge=0, description="Its exports, and reads that are reckoned, per second."
    )
    gateway_burst_s: float = Field(
        5, ge=0.1, le=3600, description="Whoever rests so long (s) may ask for all of it at once."
    )
    gateway_https: bool = Field(
        False, description="Whether it is reached by https only: browsers are told to remember it."
    )
    gateway_cors_origins: Annotated[str, AfterValidator(_origins)] = Field(
        "",
        description="Origins whose pages may read answers, letter by letter, between spaces.",
    )
    gateway_cursor_keys: Annotated[SecretStr, AfterValidator(_long_enough)] = Field(
        SecretStr(""),
        description="Keys of cursors, between spaces: the first signs, all open. Without any, one "
        "is derived from ASSAY_SECRET_KEY.",
    )
    gateway_most_exports: int = Field(
        4,
        ge=1,
        le=64,
        description="Exports of training data at once, each with a connection to Postgres.",
    )
    gateway_export_most_s: float = Field(
        3_600,
        gt=0,
        le=86_400,
        description="How long one may take (s): its transaction keeps Postgres from cleaning up.",
    )
    gateway_most_streams: int = Field(
        200, ge=1, description="Streams (`GET /ai/stream`) at once in one process."
    )
    gateway_most_streams_of_tenant: int = Field(
        20, ge=1, description="Of these, one tenant's; beyond that 429."
    )
    gateway_stream_most_s: float = Field(
        900,
        gt=0,
        le=86_400,
        description="How long one lasts (s), then it ends and its reader comes back.",
    )
    otlp_content: Literal["drop", "redact", "keep"] = Field(
        "drop",
        description="Texts of prompts and answers in spans that come by OTLP: never taken, taken "
        "without what the patterns find, or as they are; a content-free tenant keeps none.",
    )
    metrics_cache_ttl_s: int = Field(
        300,
        ge=0,
        le=86_400,
        description="How long statistics, forecasts and advice are remembered (s).",
    )
    privacy_deadline_s: int = Field(
        900, ge=60, le=2_592_000, description="When an erasure without all receipts is late (s)."
    )
    metrics_public: bool = Field(
        True, description="Whether /metrics answers without a key; it names no tenant."
    )
    public_url: str | None = Field(
        None,
        pattern=r"^https?://[^/?#\s]+$",
        description="Where people reach the gateway, without a path; https makes cookies `Secure` "
        "and `__Host-`.",
    )
    session_s: int = Field(
        28_800, ge=300, le=604_800, description="How long a login of the dashboard lasts (s)."
    )
    docs_dir: Path = Field(Path("docs"), description="Where asyncapi.json and schemas/ lie.")

    def cursor_keys(self) -> list[bytes]:
        """Those that are given, or the one that follows from the installation's secret."""
        given = self.gateway_cursor_keys.get_secret_value().split()
        return [one.encode() for one in given] or [self.secret_for(b"cursor\0v1")]

    def streams(self) -> StreamBounds:
        """Of streams."""
        most_of_tenant = self.gateway_most_streams_of_tenant
        return StreamBounds(self.gateway_most_streams, most_of_tenant, self.gateway_stream_most_s)

    def quotas(self) -> dict[Kind, Quota]:
        """Of the kinds of requests that are limited."""
        rates = {
            Kind.WRITES: self.gateway_writes_per_s,
            Kind.READS: self.gateway_reads_per_s,
            Kind.HEAVY: self.gateway_heavy_reads_per_s,
        }
        return {
            kind: Quota(rate, max(1, int(rate * self.gateway_burst_s)))
            for kind, rate in rates.items()
            if rate
        }
