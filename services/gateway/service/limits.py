"""Limits of health: a tenant's, and those of its models."""

from collections.abc import Mapping
from typing import Any, Protocol

from services.gateway.domain.limits import limits_view
from services.gateway.domain.problems import Problem, wrong_field
from shared.health.limits import OF_TENANT, HealthLimits

MOST_MODELS = 10_000

Row = Any  # a row of the store: members by column


class Store(Protocol):
    """Where limits stay."""

    async def limits(self, tenant_id: str, model_id: str) -> Mapping[str, Row]:
        """What was given for a tenant and a model, by model."""

    async def put_limits(
        self, tenant_id: str, model_id: str, body: str, actor: str, most: int
    ) -> Mapping[str, Row] | None:
        """Keep limits; `None` when so many models have their own already."""

    async def remove_limits(self, tenant_id: str, model_id: str) -> bool:
        """Forget limits; false when there are none."""


class Limits:
    """Limits of one tenant at a time; `OF_TENANT` stands for all its models."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def of(self, tenant_id: str, model_id: str) -> dict[str, Any]:
        """What holds, and what was given."""
        return limits_view(tenant_id, model_id, await self._store.limits(tenant_id, model_id))

    async def put(
        self, tenant_id: str, model_id: str, given: HealthLimits, actor: str
    ) -> dict[str, Any]:
        """Keep what is given; the rest is inherited."""
        body = given.given()
        rows = await self._store.put_limits(tenant_id, model_id, body, actor, MOST_MODELS)
        if rows is None:
            message = f"at most {MOST_MODELS} models have limits of their own; remove one's first"
            raise wrong_field("", message)
        return limits_view(tenant_id, model_id, rows)

    async def remove(self, tenant_id: str, model_id: str) -> None:
        """Forget what was given; all is inherited again."""
        if not await self._store.remove_limits(tenant_id, model_id):
            whose = "the tenant" if model_id == OF_TENANT else f"model {model_id!r}"
            raise Problem("not-found", f"No limits were given for {whose}.")
