"""A/B tests as the gateway keeps and answers them, and what a change of one amounts to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, NamedTuple
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, RootModel, TypeAdapter, ValidationError
from pydantic_core import to_json

from services.gateway.domain.problems import wrong_field
from services.gateway.domain.refusals import refused
from shared.events.experiment import Verdict
from shared.experiments.assignment import Assigned, Epoch, assign
from shared.experiments.config import ExperimentConfig
from shared.experiments.lifecycle import NotNowError, State

EPOCHS = TypeAdapter(tuple[Epoch, ...])
# What may differ in a test that has begun; weights too, but nothing else of the variants.
STAYS_OPEN = frozenset({"name", "hypothesis", "traffic", "variants", "auto_pause", "auto_conclude"})


Row = Any  # a row of the store: members by column


@dataclass(frozen=True, slots=True)
class KeptTest:
    """One test of a tenant."""

    tenant_id: str
    test_id: UUID
    config: ExperimentConfig
    state: State
    epochs: tuple[Epoch, ...]
    winner: str | None
    created_at: datetime
    created_by: str
    updated_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    verdict: Verdict | None = None
    """The last one, where results were computed; not kept in copies."""
    leader: str | None = None
    """Whom the results call the winner; nobody is served it for that. Not kept in copies."""

    @property
    def served_after(self) -> str | None:
        """Whom a verdict made everybody's variant, if one did."""
        is_known = self.winner in self.config.weights
        return self.winner if self.state is State.CONCLUDED and is_known else None

    def place(self, unit: str) -> Assigned | None:
        """Where a unit belongs while the test runs; `None`: outside."""
        config = self.config
        return assign(config.key, config.exclusion_group, self.epochs, unit)


class Seen(NamedTuple):
    """A test, and what its results say by now."""

    test: KeptTest
    body: Mapping[str, Any] | None = None
    as_of: datetime | None = None


class ExperimentView(ExperimentConfig):
    """A test, and where it stands."""

    id: UUID
    state: State
    epochs: tuple[Epoch, ...] = Field(
        description="What held since when: weights, salt, and the enrolment buckets taking part."
    )
    verdict: Verdict | None = Field(description="The last one; null before the first.")
    winner: str | None = Field(
        description="Whom the results call the winner; of a concluded test, whom everybody gets."
    )
    created_at: datetime
    created_by: str
    updated_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


class ExperimentsPage(BaseModel):
    """A page of tests."""

    items: list[ExperimentView]
    next_cursor: str | None


class StepView(BaseModel):
    """One step of a test's life; `actor` is who took it, null when no person did."""

    state: State
    at: datetime
    actor: str | None
    reason: str


class WholeExperiment(ExperimentView):
    """A test and its history."""

    history: list[StepView]


class Note(BaseModel):
    """Why somebody does it."""

    model_config = ConfigDict(extra="forbid")

    note: Annotated[str, Field(max_length=1_024)] = ""


class Changes(RootModel[dict[str, Any]]):
    """Members of a configuration that are to be replaced; null puts the default back."""


def kept_test(row: Row) -> KeptTest:
    """A stored row."""
    return KeptTest(
        row["tenant_id"],
        row["test_id"],
        ExperimentConfig.model_validate_json(row["body"]),
        State(row["state"]),
        EPOCHS.validate_json(row["epochs"]),
        row["winner"],
        row["created_at"],
        row["created_by"],
        row["updated_at"],
        row["started_at"],
        row["ended_at"],
        row.get("verdict"),
        row.get("leader"),
    )


def stored_values(test: KeptTest) -> list[Any]:
    """What of a test a change may touch: key, body, state, epochs, start and end."""
    epochs = EPOCHS.dump_json(test.epochs).decode()
    body = test.config.model_dump_json()
    return [test.config.key, body, test.state, epochs, test.started_at, test.ended_at]


def test_view(test: KeptTest) -> dict[str, Any]:
    """A test as it is answered."""
    rest = ("verdict", "created_at", "created_by", "updated_at", "started_at", "ended_at")
    return {
        "id": test.test_id,
        **test.config.model_dump(),
        "state": test.state,
        "epochs": EPOCHS.dump_python(test.epochs),
        "winner": test.winner if test.state is State.CONCLUDED else test.winner or test.leader,
        **{name: getattr(test, name) for name in rest},
    }


def changed_config(before: ExperimentConfig, changes: Changes) -> ExperimentConfig:
    """The configuration with some members replaced."""
    merged = before.model_dump() | changes.root
    known = ExperimentConfig.model_fields
    given = {
        name: value for name, value in merged.items() if value is not None or name not in known
    }
    try:
        return ExperimentConfig.model_validate_json(to_json(given))
    except ValidationError as error:
        raise refused(error, ExperimentConfig) from error


def check_fixed(before: ExperimentConfig, after: ExperimentConfig) -> None:
    """Refuse what a test that has begun was registered with: else its numbers mean nothing."""
    for name in ExperimentConfig.model_fields:
        if name not in STAYS_OPEN and getattr(before, name) != getattr(after, name):
            raise wrong_field(name, "is fixed once a test has begun; stop it and make a new one")
    as_before = (
        after.weighted(before.weights, before.traffic) if _same_keys(before, after) else None
    )
    if as_before is None or as_before.variants != before.variants:
        raise wrong_field(
            "variants",
            "only weights may change once a test has begun; stop it and make a new one for others",
        )


def check_group(test: KeptTest, others: Sequence[KeptTest]) -> None:
    """Refuse units of two kinds in one group: a user's sessions lie anywhere."""
    config = test.config
    odd = [one.config for one in others if one.config.unit != config.unit]
    if odd:
        keys = ", ".join(sorted(one.key for one in odd))
        raise NotNowError(
            f"The test assigns by {config.unit}, and {keys} of its exclusion group "
            f"{config.exclusion_group!r} by {odd[0].unit}, so that one person could be in both: "
            "take another group, the same unit, or stop the others first."
        )


def _same_keys(before: ExperimentConfig, after: ExperimentConfig) -> bool:
    return [one.key for one in before.variants] == [one.key for one in after.variants]
