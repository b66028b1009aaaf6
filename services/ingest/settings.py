"""Settings of ingest."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from shared.settings import (
    MaskSettings,
    PostgresSettings,
    RetentionSettings,
    SecretSettings,
    SharedSettings,
)


class IngestSettings(
    SharedSettings, PostgresSettings, SecretSettings, MaskSettings, RetentionSettings
):
    """Everything ingest reads from the environment."""

    ingest_max_records: Annotated[int, Field(ge=1, le=20_000)] = 6_000
    prices_file: Path | None = Field(None, description="Price lines that override the table.")
