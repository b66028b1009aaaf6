"""Settings of notify."""

from typing import Annotated

from pydantic import Field

from shared.settings import NotifyTargetSettings, PostgresSettings, SharedSettings


class NotifySettings(SharedSettings, PostgresSettings, NotifyTargetSettings):
    """Everything notify reads from the environment."""

    notify_at_once: Annotated[int, Field(ge=1, le=1_000)] = Field(
        64, description="Channels that are sent to at the same time."
    )
