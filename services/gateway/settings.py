"""Settings of the gateway."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from shared.settings import NotifyTargetSettings, PostgresSettings, SecretSettings, SharedSettings


class GatewaySettings(SharedSettings, PostgresSettings, SecretSettings, NotifyTargetSettings):
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
    metrics_public: bool = Field(
        True, description="Whether /metrics answers without a key; it names no tenant."
    )
    docs_dir: Path = Field(Path("docs"), description="Where asyncapi.json and schemas/ lie.")
