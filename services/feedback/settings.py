"""Settings of feedback."""

from typing import Annotated, Literal

from pydantic import Field

from services.feedback.domain.formulas import CURRENT, FORMULAS
from shared.settings import (
    MaskSettings,
    PostgresSettings,
    RetentionSettings,
    SecretSettings,
    SharedSettings,
)

assert set(FORMULAS) == {"1", "2"}, "the setting's choices"  # noqa: S101


class FeedbackSettings(
    SharedSettings, PostgresSettings, SecretSettings, MaskSettings, RetentionSettings
):
    """Everything feedback reads from the environment."""

    feedback_max_records: Annotated[int, Field(ge=1, le=20_000)] = 2_000
    sentiment_scorer: str | None = Field(
        None, description="A scorer of your own: package.module:name or /path/file.py:name."
    )
    training_formula: Literal["1", "2"] = Field(
        CURRENT.version,
        validate_default=True,
        description="Version of the formula of quality and weight; `assay rebuild training` "
        "applies it to history.",
    )
