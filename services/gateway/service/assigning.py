"""Answers which variant a unit gets, from what is known of the tests here."""

from collections.abc import Mapping
from typing import Any, Protocol
from uuid import UUID

from pydantic_core import to_json

from services.gateway.domain.assigning import (
    ENDED_KNOWN_FOR,
    Evaluation,
    assignable,
    assignment_view,
    check_unit,
    evaluate,
    unfit,
)
from services.gateway.domain.experiments import KeptTest
from services.gateway.domain.ofrep import OfrepError, entity_tag, flag_view
from services.gateway.domain.problems import Problem, at_odds, wrong_field
from shared.experiments.lifecycle import State

ANY_UNIT = "unit_id"
OR_LONG_AGO = f", or it ended more than {ENDED_KNOWN_FOR.days} days ago"
SHOWN_IN_BULK = (State.RUNNING, State.PAUSED, State.CONCLUDED)


class Known(Protocol):
    """Tests as they were last known."""

    async def by_id(self, tenant_id: str, test_id: UUID) -> KeptTest | None:
        """One test."""

    async def by_key(self, tenant_id: str, key: str) -> KeptTest | None:
        """One test by its key."""

    async def of(self, tenant_id: str) -> list[KeptTest]:
        """All of a tenant."""


class Expose(Protocol):
    """Hears of units that were shown a variant."""

    def note(self, found: Evaluation, via: str) -> None:
        """One evaluation of a unit that takes part."""


class Assigning:
    """Assignments of one tenant at a time."""

    def __init__(self, known: Known, exposures: Expose) -> None:
        self._known = known
        self._exposures = exposures

    async def assignment(
        self, tenant_id: str, test_id: UUID, units: Mapping[str, str | None], *, expose: bool
    ) -> dict[str, Any]:
        """GET …/assignment: `units` by the parameter that named them."""
        test = await self._known.by_id(tenant_id, test_id)
        if test is None:
            raise Problem("not-found", f"There is no A/B test {test_id}{OR_LONG_AGO}.")
        found = evaluate(test, _named(units, test.config.unit))
        if found.in_test and expose:
            self._exposures.note(found, "assignment")
        return assignment_view(found)

    async def assignable(self, tenant_id: str) -> tuple[bytes, str]:
        """Tests that have begun as JSON, for clients that assign by themselves, and their ETag."""
        tests = [one for one in await self._known.of(tenant_id) if one.state is not State.DRAFT]
        content = to_json({"items": [assignable(one) for one in tests]})
        return content, entity_tag(content)

    async def flag(
        self, tenant_id: str, key: str, context: Mapping[str, Any], *, expose: bool
    ) -> dict[str, Any]:
        """One flag, as OFREP has it; raises `OfrepError`."""
        test = await self._known.by_key(tenant_id, key)
        if test is None:
            why = f"There is no A/B test with the key {key!r}{OR_LONG_AGO}."
            raise OfrepError(404, "FLAG_NOT_FOUND", why)
        found = _evaluated(test, _targeted(context), context)
        if found.in_test and expose:
            self._exposures.note(found, "ofrep")
        return flag_view(found)

    async def flags(self, tenant_id: str, context: Mapping[str, Any]) -> tuple[bytes, str]:
        """All flags of a unit as JSON, and their ETag; nobody counts as having seen them."""
        unit = _targeted(context)
        tests = await self._known.of(tenant_id)
        flags = [_flag(one, unit, context) for one in tests if one.state in SHOWN_IN_BULK]
        content = to_json({"flags": flags})
        return content, entity_tag(content)


def _named(units: Mapping[str, str | None], wanted: str) -> str:
    """The unit of a test that assigns by `wanted`."""
    name = ANY_UNIT if units[ANY_UNIT] is not None else wanted
    unit = units[name]
    if unit is None:
        raise wrong_field(name, f"is needed: this test assigns by {name} (or give {ANY_UNIT})")
    if units[wanted] not in {None, unit}:
        raise at_odds(ANY_UNIT, wanted, "name different units; give one of the two")
    return check_unit(name, unit)


def _evaluated(test: KeptTest, unit: str, context: Mapping[str, Any]) -> Evaluation:
    """Where the unit stands, unless the context names another one as the test would count it."""
    said = context.get(test.config.unit)
    if said is not None and str(said) != unit:
        what = f"context.targetingKey and context.{test.config.unit} name different units"
        raise OfrepError(400, "INVALID_CONTEXT", f"{what}; give one of the two, or the same.")
    return evaluate(test, unit)


def _flag(test: KeptTest, unit: str, context: Mapping[str, Any]) -> dict[str, Any]:
    """One of many: what is wrong with it keeps no other back."""
    try:
        return flag_view(_evaluated(test, unit, context))
    except OfrepError as error:
        return error.body(test.config.key)


def _targeted(context: Mapping[str, Any]) -> str:
    unit = context.get("targetingKey")
    if unit is None or unit == "":
        raise OfrepError(400, "TARGETING_KEY_MISSING", "context.targetingKey names the unit.")
    if not isinstance(unit, str):
        raise OfrepError(400, "INVALID_CONTEXT", "context.targetingKey must be a string.")
    why = unfit(unit)
    if why:
        raise OfrepError(400, "INVALID_CONTEXT", f"context.targetingKey {why}.")
    return unit
