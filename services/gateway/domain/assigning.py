"""What a unit is answered: its variant, or why it takes no part."""

from datetime import timedelta
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

from pydantic import BaseModel, Field
from pydantic_core import to_json

from services.gateway.domain.experiments import KeptTest, test_view
from services.gateway.domain.problems import wrong_field
from shared.experiments.assignment import SEPARATOR, Epoch
from shared.experiments.config import Variant
from shared.experiments.lifecycle import State

MOST_UNIT = 128
ENDED_KNOWN_FOR = timedelta(days=30)
"""How long units of a test that ended are answered; gateways need not know all there ever was."""

Reason = Literal["assigned", "outside", "no_unit", "draft", "paused", "stopped", "concluded"]


NOT_RUNNING: Final[dict[State, Reason]] = {
    State.DRAFT: "draft",
    State.PAUSED: "paused",
    State.STOPPED: "stopped",
    State.CONCLUDED: "concluded",
}


class AssignmentView(BaseModel):
    """A unit's variant; outside the test the control's, after its end the winner's if any."""

    test_id: UUID
    key: str
    variant: str
    model_id: str
    in_test: bool
    reason: Reason = Field(
        description="`assigned`; else why the unit takes no part: `outside` the traffic, `no_unit` "
        "was named, or the state of a test that does not run."
    )
    epoch: int | None = Field(description="Number of the epoch that placed the unit.")


class AssignableTest(BaseModel):
    """As much of a test as its units are assigned by."""

    id: UUID
    key: str
    state: State
    unit: str
    variants: list[Variant]
    traffic: float
    exclusion_group: str | None
    epochs: list[Epoch]
    winner: str | None = Field(description="Whom everybody gets; of a concluded test only.")


class AssignableTests(BaseModel):
    """All that have begun, and did not end long ago."""

    items: list[AssignableTest]


class Evaluation(NamedTuple):
    """A unit in a test."""

    test: KeptTest
    unit: str
    variant: str
    in_test: bool
    reason: Reason
    epoch: int | None

    @property
    def model_id(self) -> str:
        """The model of the variant."""
        return next(v.model_id for v in self.test.config.variants if v.key == self.variant)


def evaluate(test: KeptTest, unit: str) -> Evaluation:
    """Where a unit stands in a test."""
    control = test.config.control.key
    if test.state is not State.RUNNING:
        return Evaluation(
            test, unit, test.served_after or control, False, NOT_RUNNING[test.state], None
        )
    placed = test.place(unit)
    if placed is None:
        return Evaluation(test, unit, control, False, "outside" if unit else "no_unit", None)
    return Evaluation(test, unit, placed.variant, True, "assigned", placed.epoch)


def assignment_view(found: Evaluation) -> dict[str, Any]:
    """As GET …/assignment answers it."""
    return {
        "test_id": found.test.test_id,
        "key": found.test.config.key,
        "variant": found.variant,
        "model_id": found.model_id,
        "in_test": found.in_test,
        "reason": found.reason,
        "epoch": found.epoch,
    }


def assignable(test: KeptTest) -> dict[str, Any]:
    """As clients need it that assign by themselves."""
    whole = test_view(test) | {"winner": test.served_after}
    return {name: whole[name] for name in AssignableTest.model_fields}


def check_unit(name: str, unit: str) -> str:
    """A unit that can be hashed, published and stored."""
    why = unfit(unit)
    if why:
        raise wrong_field(name, why)
    return unit


def unfit(unit: str) -> str | None:
    """Why a text can name no unit."""
    if len(unit) > MOST_UNIT:
        return f"has at most {MOST_UNIT} characters"
    if SEPARATOR in unit or "\0" in unit:
        return "holds a U+001F or a NUL, which no unit may"
    try:
        to_json(unit)
    except ValueError:
        return "holds a lone surrogate"
    return None
