"""What is stored in Postgres, for answers that nothing has ready."""

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from typing import Protocol

from services.gateway.domain.problems import Problem
from shared.health.limits import LimitsBook
from shared.health.measures import SOON
from shared.keys import WINDOWS
from shared.measures.cells import MINUTE, Cell, Series, add_into

BookOf = Callable[[str, str | None], Awaitable[LimitsBook]]
"""Of a tenant: the limits of one of its models, or of all."""


class Minutes(Protocol):
    """Minutes in the system of record."""

    async def minutes(
        self, tenant_id: str, model_id: str | None, span: tuple[datetime, datetime], step_s: int
    ) -> dict[tuple[Series, datetime], Cell]:
        """Sums of minutes."""

    async def model_exists(self, tenant_id: str, model_id: str) -> bool:
        """Whether anything of a model was ever stored."""


async def looked_back(
    minutes: Minutes,
    tenant_id: str,
    model_id: str | None,
    now: datetime,
    windows: Iterable[str] = SOON,
) -> dict[str, dict[Series, Cell]]:
    """Sums by window and series.

    The windows that only feedback and calibration are judged by hold ten thousand minutes; while
    Redis is away everybody would ask for them at once.
    """
    sums: dict[str, dict[Series, Cell]] = {}
    for name in windows:
        span = start_of(name, now), now + timedelta(seconds=MINUTE)
        stored = await minutes.minutes(tenant_id, model_id, span, 2 * WINDOWS[name])
        sums[name] = {}
        for (series, _), cell in stored.items():
            add_into(sums[name].setdefault(series, {}), cell)
    return sums


def start_of(window: str, now: datetime) -> datetime:
    """Where a window begins: with a whole minute."""
    return (now - timedelta(seconds=WINDOWS[window])).replace(second=0, microsecond=0)


def unknown_model(model_id: str) -> Problem:
    """The 404 of a model that never sent anything."""
    return Problem("not-found", f"Nothing of model {model_id!r} has been seen.")
