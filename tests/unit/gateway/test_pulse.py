"""How busy each model was, for the small lines of the list."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.gateway.domain.problems import AwayError
from services.gateway.service.pulse import STEP_S, STEPS, Pulse
from shared.measures.cells import Series

NOON = datetime(2026, 1, 1, 12, 2, 30, tzinfo=UTC)
STEP = timedelta(seconds=STEP_S)
BEGAN = datetime(2026, 1, 1, 12, tzinfo=UTC)
"""Of the step under way."""


class Minutes:
    """Stored minutes, and how often they were asked for."""

    def __init__(self, stored: dict[Any, Any], *, away: bool = False) -> None:
        self.stored, self.away = stored, away
        self.asked: list[tuple[str, tuple[datetime, datetime], int]] = []

    async def minutes(
        self, tenant_id: str, model_id: str | None, span: tuple[datetime, datetime], step_s: int
    ) -> dict[Any, Any]:
        assert model_id is None
        self.asked.append((tenant_id, span, step_s))
        if self.away:
            raise AwayError("postgres")
        return self.stored

    async def model_exists(self, _: str, __: str) -> bool:
        return True


def series(model_id: str, environment: str = "production") -> Series:
    return Series(model_id, environment, "chat", "")


async def test_counts_lie_in_their_step_and_parts_of_a_model_are_added_up() -> None:
    minutes = Minutes(
        {
            (series("a"), BEGAN): {"n": 3},
            (series("a", "staging"), BEGAN): {"n": 4},
            (series("a"), BEGAN - STEP): {"n": 5},
            (series("b"), BEGAN - (STEPS - 1) * STEP): {"n": 6, "ok": 6},
        }
    )
    found = await Pulse(minutes, lambda: NOON).of("acme")
    assert found is not None
    assert found["a"] == [0] * (STEPS - 2) + [5, 7]
    assert found["b"] == [6] + [0] * (STEPS - 1)
    [(_, (start, end), step_s)] = minutes.asked
    assert (end, step_s) == (BEGAN + STEP, STEP_S)
    assert end - start == STEPS * STEP


@pytest.mark.parametrize("second", [0, 299])
async def test_the_step_under_way_is_the_last_also_at_its_ends(second: int) -> None:
    at = BEGAN + timedelta(seconds=second)
    minutes = Minutes({(series("a"), BEGAN): {"n": 1}})
    found = await Pulse(minutes, lambda: at).of("acme")
    assert found is not None
    assert found["a"][-1] == 1


async def test_everybody_of_a_tenant_shares_one_look_and_nobody_elses() -> None:
    minutes = Minutes({})
    pulse = Pulse(minutes, lambda: NOON)
    for tenant_id in ("acme", "acme", "globex"):
        await pulse.of(tenant_id)
    assert [one[0] for one in minutes.asked] == ["acme", "globex"]


async def test_the_list_goes_on_without_lines_while_the_store_is_away() -> None:
    assert await Pulse(Minutes({}, away=True), lambda: NOON).of("acme") is None
