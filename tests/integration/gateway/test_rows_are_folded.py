"""Cells that SQL sums from rows are those that Python folds from the same events."""

import itertools
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from pydantic import SecretStr

from services.gateway.domain.answers import Filters
from services.gateway.queries import rows as queries
from services.gateway.store.rows import PostgresRows
from services.gateway.store.sessions import Sessions
from shared.codec import microseconds
from shared.events.operation import OperationEvent
from shared.measures.cells import Cell, Series, merged
from shared.measures.fold import Judgement, add_judgement, fold_operations
from shared.stores import LazyPostgres
from tests.integration.gateway.stored import store_feedback, store_operation, with_days
from tests.support.system import prepared, querying

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
BORDERS = [NOON + timedelta(minutes=minutes) for minutes in (0, 1, 5, 60)]
# Zero, below the smallest, halves of a microsecond on either side of even, seven days.
TIMES = (
    0.0,
    1e-4,
    9.99e-4,
    1e-3,
    0.0005,
    0.0025,
    0.0625,
    1 / 3,
    1.0,
    812.0,
    30_000.5,
    604_800_000.0,
)
# 2^-7 has half a millionth; 0.3 and 0.7 lie at edges of bins that no double holds exactly.
CONFIDENCES = (
    None,
    0.0,
    5e-7,
    2**-7,
    0.1,
    0.29999999999999999,
    0.3,
    0.5,
    0.7,
    0.95,
    1 - 2**-53,
    1.0,
)
ERRORS = (None, "timeout", "never seen: ü'\"\\", "d:1")
TOKENS = (None, 0, 1, 2**31 - 1)
COSTS = (None, 0, 1, 10_000 * 10**9)
AGENTS = ("a", "b", None)
RELEASES = ("1.0", "2.0", None)
ALL = [
    Filters(agent_id="a"),
    Filters(release="2.0"),
    Filters(agent_id="b", release="1.0"),
    Filters("staging", "embedding", "x", "a"),
    Filters(variant="", agent_id="a"),
    Filters(agent_id=""),
    Filters("production", release=""),
    Filters(agent_id="never seen"),
]


class World(NamedTuple):
    """What happened, and who sums it in SQL."""

    rows: PostgresRows
    sessions: Sessions
    operations: list[tuple[datetime, dict[str, Any]]]
    feedback: list[tuple[datetime, Series, str, Judgement]]

    def newest(self, operation_id: str) -> dict[str, Any]:
        """The newest event of an operation's id."""
        return max(
            (one for one in self.operations if one[1]["operation_id"] == operation_id),
            key=lambda one: one[0],
        )[1]


@pytest.fixture(scope="module")
async def world(database_dsn: str) -> AsyncIterator[World]:
    """Odd operations, and what was said of them."""
    dsns = await prepared(database_dsn)
    postgres = LazyPostgres(SecretStr(dsns["gateway"]), service="gateway")
    chance = random.Random(7)
    operations = [_operation(number, chance) for number in range(600)]
    feedback = [_said(number, operations, chance) for number in range(200)]
    async with querying(database_dsn) as run:
        await with_days(run, *(NOON + timedelta(days=day) for day in (-3, -1, 0, 1)))
        for at, columns in operations:
            await store_operation(run, at, **columns)
        for at, series, operation_id, judgement in feedback:
            columns = {**series._asdict(), "variant": series.variant or None, **judgement._asdict()}
            await store_feedback(run, at, operation_id, **columns)
    sessions = Sessions(postgres)
    yield World(PostgresRows(sessions), sessions, operations, feedback)
    await postgres.close()


def _operation(number: int, chance: random.Random) -> tuple[datetime, dict[str, Any]]:
    # Every 40th is another event of an operation that was told before, three days ago or just now.
    again = number % 40 == 39
    at = NOON + timedelta(microseconds=chance.randrange(-1_000_000, 3_601_000_000))
    if number < 4:
        at = BORDERS[number]
    is_old = number % 80 == 39 or number % 50 == 1
    return at - timedelta(days=3 * is_old), {
        "operation_id": f"op-{number - 20 if again else number}",
        "model_id": chance.choice(("m", "m", "m", "other")),
        "environment": chance.choice(("production", "staging")),
        "operation_type": chance.choice(("chat", "embedding")),
        "variant": chance.choice((None, "x")),
        "agent_id": chance.choice(AGENTS),
        "release": chance.choice(RELEASES),
        "success": chance.random() < 0.6,
        "error_type": chance.choice(ERRORS),
        "response_time_ms": chance.choice((*TIMES, chance.lognormvariate(6, 2))),
        "confidence": chance.choice((*CONFIDENCES, chance.random())),
        "cost_nano": chance.choice(COSTS),
        **{
            f"{kind}_tokens": chance.choice(TOKENS)
            for kind in ("input", "output", "cached_input", "reasoning")
        },
    }


def _said(
    number: int, operations: list[tuple[datetime, dict[str, Any]]], chance: random.Random
) -> tuple[datetime, Series, str, Judgement]:
    """Days after its operation, or before it; under its series, or under one that it names."""
    _, columns = operations[number * 3 % 600]
    named = (columns["model_id"], columns["environment"], columns["operation_type"])
    series = Series(*named, columns["variant"] or "")
    if number % 7 == 0:
        series = Series("m", "production", "", "")
    at = NOON + timedelta(microseconds=chance.randrange(-1_000_000, 3_601_000_000))
    judgement = Judgement(
        chance.choice((None, 1, 2, 5)), *(chance.choice((None, True, False)) for _ in range(4))
    )
    return at, series, columns["operation_id"], judgement


def folded(world: World, filters: Filters, start: datetime, end: datetime) -> Cell:
    """The same in Python."""

    def asked(at: datetime, series: Series, who: dict[str, Any]) -> bool:
        return (
            start <= at < end
            and series.model_id == "m"
            and filters.match(series)
            and filters.agent_id in {None, who["agent_id"] or ""}
            and filters.release in {None, who["release"] or ""}
        )

    priced = [
        (
            OperationEvent.model_construct(**{"tenant_id": "acme", **columns}),
            microseconds(at),
            columns["cost_nano"],
        )
        for at, columns in world.operations
        if asked(at, _series(columns), columns)
    ]
    judged: Cell = {}
    for at, series, operation_id, judgement in world.feedback:
        if asked(at, series, world.newest(operation_id)):
            add_judgement(judged, judgement)
    return merged((*fold_operations(priced).values(), judged))


def _series(columns: dict[str, Any]) -> Series:
    named = (columns["model_id"], columns["environment"], columns["operation_type"])
    return Series(*named, columns["variant"] or "")


@pytest.mark.parametrize("filters", ALL, ids=str)
async def test_sql_and_python_come_to_the_same_cells(world: World, filters: Filters) -> None:
    found = await world.rows.sums("acme", "m", filters, BORDERS)
    expected = [folded(world, filters, *span) for span in itertools.pairwise(BORDERS)]
    assert found == expected
    assert any(expected) == (filters.agent_id != "never seen")


async def test_everything_that_is_measured_is_in_some_cell(world: World) -> None:
    names = set(merged(await world.rows.sums("acme", "m", Filters(agent_id="a"), BORDERS)))
    odd = {"e:unspecified", "e:d:1", "d:-32768", "k:0:n", "k:9:o", "brier", "treason", "rating2"}
    assert odd <= names


async def test_a_transaction_of_another_tenant_sees_no_row(world: World) -> None:
    async with world.sessions.reading("globex") as connection:
        found = await queries.sums(connection, "acme", "m", Filters(agent_id="a"), BORDERS)
    assert found == [{}, {}, {}]
