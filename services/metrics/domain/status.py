"""The health of a model's parts: from window sums to what people see of it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID, uuid5

from pydantic import BaseModel
from pydantic_core import to_json

from services.metrics.domain.windows import Model, SeriesCells
from shared.health.judging import Verdict, judge
from shared.health.limits import HealthLimits
from shared.health.settling import Held
from shared.keys import WINDOWS
from shared.measures.cells import Cell, merged
from shared.views import Health, MeasureStatus, PartStatus, StatusView

CHANGES = UUID("5d0f7a86-3b0c-4c0e-9a43-0f8f0d1c7c11")  # any constant: the space of their ids

MOST_PARTS = 100

Windows = Mapping[str, SeriesCells]
"""Window -> series -> cell of one model."""


class Part(NamedTuple):
    """Operations of one model, environment and type; `None`: the model as a whole."""

    tenant_id: str
    model_id: str
    environment: str | None = None
    operation_type: str | None = None

    @property
    def model(self) -> Model:
        """Whose part it is."""
        return self.tenant_id, self.model_id


class Standing(NamedTuple):
    """How a part is: what is kept of it, if anything is yet, and the last look at it."""

    held: Held | None
    verdict: Verdict


class StatusChange(BaseModel):
    """A part's status became another."""

    change_id: UUID
    tenant_id: str
    model_id: str
    environment: str | None
    operation_type: str | None
    at: datetime
    status: Health
    before: Health | None
    reasons: list[str]
    measures: list[MeasureStatus]


class Shown(NamedTuple):
    """What a model's view says of its health."""

    status: Health
    reasons: list[str]
    view: str
    """A `StatusView` as JSON."""


def names_of(model: Model, sums: Windows) -> list[Part]:
    """Its parts, the whole first; of very many, those first by name."""
    names = {one[1:3] for by_series in sums.values() for one in by_series}
    return [Part(*model), *(Part(*model, *name) for name in sorted(names)[:MOST_PARTS])]


def parts_of(model: Model, sums: Windows) -> dict[Part, dict[str, Cell]]:
    """Each part's cells by window."""
    whole, *others = names_of(model, sums)
    parts = {one[2:]: one for one in others}
    members: dict[Part, dict[str, list[Cell]]] = {one: {} for one in (whole, *others)}
    for window in WINDOWS:
        for series, cell in sums.get(window, {}).items():
            members[whole].setdefault(window, []).append(cell)
            if part := parts.get(series[1:3]):
                members[part].setdefault(window, []).append(cell)
    return {
        part: {
            window: cells[0] if len(cells) == 1 else merged(cells)
            for window, cells in by_window.items()
        }
        for part, by_window in members.items()
    }


def first_look(model: Model, sums: Windows, limits: HealthLimits) -> Shown:
    """What is to be seen of a model before anybody has kept anything of it."""
    parts = parts_of(model, sums).items()
    return shown(
        model, {part: Standing(None, judge(cells, limits)) for part, cells in parts}, limits
    )


def shown(model: Model, parts: Mapping[Part, Standing], limits: HealthLimits) -> Shown:
    """The view of a model's parts, the whole among them."""
    told = {part: _told(part, standing) for part, standing in parts.items()}
    whole = told.pop(Part(*model))
    view = StatusView(
        model_id=model[1],
        **whole.model_dump(exclude={"environment", "operation_type"}),
        parts=[told[part] for part in sorted(told)],
        limits=limits.model_dump(),
    )
    return Shown(whole.status, whole.reasons, view.model_dump_json())


def _told(part: Part, standing: Standing) -> PartStatus:
    """A status that is held against what was just seen keeps the reasons it was entered for."""
    held, verdict = standing
    is_seen = held is None or held.status is verdict.status
    return PartStatus(
        environment=part.environment,
        operation_type=part.operation_type,
        status=held.status if held else verdict.status,
        since=at(held.since) if held else None,
        reasons=verdict.reasons if held is None or is_seen else list(held.reasons),
        measures=verdict.measures,
    )


def change_of(
    part: Part, held: Held, before: Held | None, verdict: Verdict, cause: str = ""
) -> StatusChange:
    """What there is to tell of a change; told twice, it has the same id.

    `cause` is what made it change other than what was measured.
    """
    name = to_json([*part, held.since, held.status.value]).decode()
    return StatusChange(
        change_id=uuid5(CHANGES, name),
        **part._asdict(),
        at=at(held.since),
        status=held.status,
        before=before.status if before else None,
        reasons=[*([cause] if cause else []), *held.reasons],
        measures=verdict.measures,
    )


def at(seconds: float) -> datetime:
    """An instant, from seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC)
