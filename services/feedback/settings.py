"""Settings of feedback."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.settings import PREFIX


class SentimentSettings(BaseSettings):
    """Who reads comments."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    sentiment_scorer: str | None = Field(
        None, description="A scorer of your own: package.module:name or /path/file.py:name."
    )
