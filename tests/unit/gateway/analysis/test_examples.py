"""The examples of the OpenAPI document are answers of the shapes beside them."""

from typing import Any

import pytest
from pydantic import BaseModel

from services.gateway.domain.analysis.answers import (
    FeedbackTrends,
    Recommendations,
    SummaryAnswer,
)
from services.gateway.domain.analysis.examples import ADVICE, SUMMARY, TRENDS


@pytest.mark.parametrize(
    ("shape", "example"),
    [(SummaryAnswer, SUMMARY), (FeedbackTrends, TRENDS), (Recommendations, ADVICE)],
)
def test_an_example_is_what_is_answered(shape: type[BaseModel], example: dict[str, Any]) -> None:
    found = shape.model_validate(example).model_dump(mode="json", by_alias=True)
    assert found.keys() == example.keys()
