"""Steps are told in their order, again until the broker has them, and a bad one holds up none."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest

from services.gateway.domain.intake import Outgoing
from services.gateway.domain.problems import AwayError, UnsendableError
from services.gateway.service.telling_steps import StepTeller
from shared.topics import TopicSpec
from tests.support.experiments import NOON

Row = dict[str, Any]


def row(number: int, tenant_id: str = "acme", body: Any = "{}") -> Row:
    identity = UUID(int=number)
    return {
        "tenant_id": tenant_id,
        "event_id": identity,
        "test_id": identity,
        "occurred_at": NOON,
        "body": body,
    }


class Store:
    """Steps; what is marked stays so also when a later one fails."""

    def __init__(self, *rows: Row) -> None:
        self.steps: Sequence[Row] = rows
        self.marked: list[tuple[str, int]] = []
        self.refusals: list[tuple[str, int]] = []

    @asynccontextmanager
    async def relaying(self, most: int) -> AsyncIterator["Store"]:
        known = {number for _, number in self.marked + self.refusals}
        before = self.marked[:], self.refusals[:]
        steps, self.steps = (
            self.steps,
            [one for one in self.steps if one["event_id"].int not in known][:most],
        )
        try:
            yield self
        except BaseException:
            self.marked, self.refusals = before
            raise
        finally:
            self.steps = steps

    async def told(self, tenant_id: str, events: Sequence[UUID]) -> None:
        self.marked += [(tenant_id, one.int) for one in events]

    async def refused(self, tenant_id: str, event_id: UUID, why: str) -> None:
        assert why
        self.refusals.append((tenant_id, event_id.int))


class Kafka:
    """Takes events, but for some, unless it is away."""

    def __init__(self, refuses: Mapping[int, Exception] | None = None) -> None:
        self.taken: list[tuple[str, int]] = []
        self.refuses = dict(refuses or {})
        self.is_away = False
        self.left = 1_000

    async def publish(
        self,
        spec: TopicSpec,
        topic: str,
        events: Sequence[Outgoing],
        tenant_id: str,
        trace: Mapping[str, str],
    ) -> None:
        numbers = [UUID(one.event_id).int for one in events]
        for number in numbers:
            if number in self.refuses:
                raise self.refuses[number]
        if self.is_away or self.left <= 0:
            raise AwayError("kafka")
        self.left -= 1
        self.taken += [(tenant_id, number) for number in numbers]


TOO_LARGE = UnsendableError("kafka", "too large")


@pytest.mark.parametrize(
    ("body", "refuses"),
    [
        pytest.param("{}", {2: TOO_LARGE}, id="too large"),
        pytest.param(None, {}, id="no text"),
        pytest.param("\ud800", {}, id="not to be written down"),
    ],
)
async def test_a_step_that_nobody_takes_is_marked_and_all_others_are_told(
    body: Any, refuses: dict[int, Exception]
) -> None:
    store = Store(row(1), row(2, body=body), row(3), row(4, "globex"))
    kafka = Kafka(refuses)
    teller = StepTeller(store, kafka.publish, "t.")
    await teller.tell()
    await teller.tell()
    assert kafka.taken == [("acme", 1), ("acme", 3), ("globex", 4)] == store.marked
    assert store.refusals == [("acme", 2)]


async def test_what_nobody_foresaw_keeps_one_tenant_back_and_is_tried_again() -> None:
    store = Store(row(1), row(2, "globex"), row(3, "third"))
    kafka = Kafka({2: RuntimeError("odd")})
    teller = StepTeller(store, kafka.publish, "t.")
    await teller.tell()
    assert (store.marked, store.refusals) == ([("acme", 1), ("third", 3)], [])
    kafka.refuses.clear()
    await teller.tell()
    assert store.marked[-1] == ("globex", 2)


async def test_while_the_broker_is_away_nothing_is_marked_and_then_all_is_told() -> None:
    store, kafka = Store(row(1), row(2, "globex")), Kafka()
    teller = StepTeller(store, kafka.publish, "t.")
    kafka.is_away = True
    await teller.tell()
    assert (store.marked, store.refusals) == ([], [])
    kafka.is_away = False
    await teller.tell()
    assert kafka.taken == store.marked == [("acme", 1), ("globex", 2)]


async def test_what_was_told_before_the_broker_went_away_is_not_told_again() -> None:
    store, kafka = Store(row(1), row(2, "globex")), Kafka()
    kafka.left = 1
    teller = StepTeller(store, kafka.publish, "t.")
    await teller.tell()
    assert store.marked == [("acme", 1)]
    kafka.left = 9
    await teller.tell()
    assert kafka.taken == [("acme", 1), ("globex", 2)]
