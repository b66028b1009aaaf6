"""Steps that people take: in their order also where clocks differ."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.gateway.domain.experiments import Changes, KeptTest
from services.gateway.domain.steps import Around, Step
from services.gateway.service.experimenting import Experimenting
from shared.experiments.lifecycle import Action, State
from tests.support.experiments import NOON
from tests.unit.gateway.given import TEST_ID, kept


class Store:
    """One test, and the steps of its life."""

    def __init__(self, test: KeptTest) -> None:
        self.test = test
        self.steps: list[Step] = []

    async def add(self, *_: Any) -> None:
        raise AssertionError("nobody adds a test here")

    async def change(
        self, tenant_id: str, test_id: UUID, decide: Callable[[KeptTest, Around], Any]
    ) -> KeptTest:
        last = max((one.occurred_at for one in self.steps), default=None)
        self.test, step = decide(self.test, Around((), last))
        self.steps += [step] if step else []
        return self.test


def gateway(store: Store, now: datetime) -> Experimenting:
    return Experimenting(store, lambda _: None, lambda: now, uuid4)


@pytest.mark.parametrize("behind", [timedelta(0), timedelta(minutes=5)])
async def test_a_gateway_whose_clock_is_behind_turns_no_history_round(behind: timedelta) -> None:
    store = Store(replace(kept(), state=State.DRAFT, epochs=(), started_at=None))
    ahead, late = gateway(store, NOON), gateway(store, NOON - behind)
    await ahead.act("acme", TEST_ID, Action.START, "", "ann")
    await late.change("acme", TEST_ID, Changes({"traffic": 0.5}), "bob")
    await late.act("acme", TEST_ID, Action.PAUSE, "", "bob")
    await late.act("acme", TEST_ID, Action.START, "", "bob")
    await ahead.change("acme", TEST_ID, Changes({"traffic": 1.0}), "ann")
    await late.act("acme", TEST_ID, Action.STOP, "", "bob")
    times = [one.occurred_at for one in store.steps]
    assert times == sorted(set(times))
    assert [one.state for one in store.steps] == [
        *("running", "running", "paused", "running", "running", "stopped"),
    ]
    since = [one.since for one in store.test.epochs]
    assert since == sorted(set(since))
    assert store.test.ended_at == times[-1]
