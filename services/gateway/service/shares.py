"""Nobody holds all places: a tenant leaves a quarter to the others, however slowly it goes about
what it holds."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from services.gateway.domain.problems import Problem
from shared import telemetry

COME_BACK_S = 1
NOBODY = ""
"""Whoever asks without having to say who they are."""
SHARE = 0.75


class Shares:
    """How much each tenant holds."""

    def __init__(self) -> None:
        self._held: Counter[str] = Counter()

    def of(self, tenant_id: str) -> int:
        """What it holds now."""
        return self._held[tenant_id]

    def take(self, tenant_id: str, much: int = 1) -> None:
        """Hold so much more."""
        self._held[tenant_id] += much

    def give_back(self, tenant_id: str, much: int = 1) -> None:
        """Hold so much less; who holds nothing is forgotten."""
        self._held[tenant_id] -= much
        if self._held[tenant_id] <= 0:
            del self._held[tenant_id]


class Place:
    """What one request holds of the places there are, once it is known whose it is."""

    def __init__(self, shares: Shares, most: int, leave: Callable[[], None] = lambda: None) -> None:
        """`leave` hears once that it was given back."""
        self._shares = shares
        self._most = most
        self._leave: Callable[[], None] | None = leave
        self._whose: str | None = None

    def belongs_to(self, tenant_id: str) -> None:
        """Count it as that tenant's; `overloaded` when it holds its share already."""
        if self._whose is not None:
            return
        if self._shares.of(tenant_id) >= share_of(self._most):
            raise overloaded("As many requests of yours as there may be are under way")
        self._shares.take(tenant_id)
        self._whose = tenant_id

    def give_back(self) -> None:
        """It has ended, or is from now on counted elsewhere."""
        if self._leave is None:
            return
        leave, self._leave = self._leave, None
        leave()
        if self._whose is not None:
            self._shares.give_back(self._whose)


def placed(state: Any, tenant_id: str) -> None:
    """Say whose request that is to what counts those under way; events are counted elsewhere."""
    place: Place | None = getattr(state, "place", None)
    if place is not None:
        place.belongs_to(tenant_id)


def share_of(most: float) -> int:
    """Of so many, at least one."""
    return max(1, int(most * SHARE))


def overloaded(said: str) -> Problem:
    """Come back soon."""
    telemetry.SHED.inc()
    detail = f"{said}; come back when some have ended."
    return Problem("overloaded", detail, headers={"Retry-After": str(COME_BACK_S)})
