"""`python -m shared.reckoning`: answer each line of JSON with another, until the input ends."""

import sys
from typing import Annotated, Literal

from pydantic import BaseModel, Field, RootModel
from pydantic_core import to_json

from shared.reckoning.forecasting import Asked, Forecast, forecast
from shared.reckoning.krippendorff import Level, alpha
from shared.reckoning.planning import AskedPlan, Plan, plan
from shared.reckoning.themes import Comments, Theme, themes
from shared.reckoning.trends import LEAST_SPAN, Trend, trend


class ForecastRequest(BaseModel):
    """One series to be forecast."""

    do: Literal["forecast"]
    asked: Asked


class TrendsRequest(BaseModel):
    """Series whose trends are asked for."""

    do: Literal["trends"]
    series: list[list[float | None]]
    least_span: int = LEAST_SPAN
    """Steps below which nothing is said."""


class TrendsAnswer(BaseModel):
    """One trend per series."""

    trends: list[Trend]


class PlanRequest(BaseModel):
    """An A/B test to be planned."""

    do: Literal["plan"]
    asked: AskedPlan


class ThemesRequest(BaseModel):
    """Comments whose themes are asked for, apart for each model."""

    do: Literal["themes"]
    models: list[Comments]


class ThemesAnswer(BaseModel):
    """The themes of each."""

    themes: list[list[Theme]]


class Question(BaseModel):
    """What raters answered, by unit; at least two to each."""

    level: Level
    units: list[list[int | bool]]


class AgreementRequest(BaseModel):
    """Questions of which raters' agreement is asked for."""

    do: Literal["agreement"]
    questions: list[Question]


class AgreementAnswer(BaseModel):
    """Alpha of each; null where all say the same."""

    alphas: list[dict[str, float | None] | None]


Request = RootModel[
    Annotated[
        ForecastRequest | TrendsRequest | PlanRequest | ThemesRequest | AgreementRequest,
        Field(discriminator="do"),
    ]
]


def answer(line: str) -> Forecast | TrendsAnswer | Plan | ThemesAnswer | AgreementAnswer:
    """Do what a line asks for."""
    request = Request.model_validate_json(line).root
    if isinstance(request, ForecastRequest):
        return forecast(request.asked)
    if isinstance(request, PlanRequest):
        return plan(request.asked)
    if isinstance(request, AgreementRequest):
        found = (alpha(one.units, one.level) for one in request.questions)
        return AgreementAnswer(alphas=[one and one._asdict() for one in found])
    if isinstance(request, ThemesRequest):
        return ThemesAnswer(themes=[themes(one) for one in request.models])
    return TrendsAnswer(trends=[trend(one, request.least_span) for one in request.series])


def safely(line: str) -> str:
    """The answer's JSON; of a question that cannot be answered, why."""
    try:
        return answer(line).model_dump_json()
    except Exception as error:
        return to_json({"error": type(error).__name__}).decode()


if __name__ == "__main__":
    for asked in sys.stdin:
        sys.stdout.write(safely(asked) + "\n")
        sys.stdout.flush()
