"""Settings of abtest."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from shared.settings import PostgresSettings, SecretSettings, SharedSettings


class AbtestSettings(SharedSettings, PostgresSettings, SecretSettings):
    """Everything abtest reads from the environment."""

    abtest_max_records: Annotated[int, Field(ge=1, le=20_000)] = 4_500
    prices_file: Path | None = Field(None, description="Price lines that override the table.")
