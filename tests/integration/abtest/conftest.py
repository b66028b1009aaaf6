"""abtest in this process, tests that run, and events published to its topics."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from pydantic_core import to_json

from services.abtest.app import run
from services.abtest.domain.live import EPOCHS, LiveTest, live_test
from services.abtest.domain.rows import TOTALS, Candidate, UnitKey
from services.abtest.domain.state import TestState as State
from services.abtest.domain.sums import COLUMNS
from services.abtest.settings import AbtestSettings
from services.abtest.store.states import PostgresStates
from shared.experiments.assignment import Epoch, Weight
from tests.support.abtest import SlowArm, arms_of
from tests.support.events import operation
from tests.support.experiments import body
from tests.support.system import SECRET, prepared, running, topics
from tests.support.waiting import eventually
from tests.support.world import Surroundings

HALVES = {"a": 0.5, "b": 0.5}


class World(Surroundings):
    """What tests do to abtest's surroundings."""

    def __init__(self, settings: AbtestSettings, bootstrap: str, dsn: str) -> None:
        super().__init__(bootstrap, dsn, settings.topic_prefix)
        self.settings = settings

    async def begin(
        self,
        key: str,
        *,
        tenant: str = "acme",
        ago: timedelta = timedelta(hours=1),
        salt: str | None = None,
        **changes: Any,
    ) -> UUID:
        """A test that has been running for a while."""
        test_id, since = uuid4(), datetime.now(UTC) - ago
        weights = tuple(Weight(*pair) for pair in HALVES.items())
        epochs = (Epoch(1, salt or f"{test_id}.1", weights, 1.0, ((0, 10_000),), since),)
        await self.sql(
            """
            INSERT INTO ab_tests (tenant_id, test_id, key, body, state, epochs, created_by,
                started_at)
            VALUES ($1, $2, $3, $4, 'running', $5, 'test', $6)
            """,
            *(tenant, test_id, key, to_json(body(key=key, **changes)).decode()),
            *(EPOCHS.dump_json(epochs).decode(), since),
        )
        await self.step(test_id, "running", since, tenant=tenant)
        return test_id

    async def step(
        self,
        test_id: UUID,
        state: str,
        at: datetime,
        *,
        tenant: str = "acme",
        actor: str | None = None,
    ) -> None:
        """Let a test go into a state."""
        await self.sql(
            """
            WITH moved AS (UPDATE ab_tests SET state = $3, updated_at = clock_timestamp(),
                    ended_at = CASE WHEN $3 IN ('stopped', 'concluded') THEN $4::timestamptz END
                  WHERE tenant_id = $1 AND test_id = $2)
            INSERT INTO ab_test_steps (tenant_id, event_id, test_id, occurred_at, state, reason,
                body, actor) VALUES ($1, gen_random_uuid(), $2, $4, $3, '', '{}', $5)
            """,
            *(tenant, test_id, state, at, actor),
        )

    async def settled(self) -> None:
        """Wait until all that was sent is counted, and nothing waits that could be joined."""

        async def so() -> bool:
            rows = await self.sql(
                "SELECT coalesce(sum(next_offset), 0) AS n FROM consumer_fence"
                " WHERE consumer_group = 'abtest'"
            )
            joinable = await self.sql(
                "SELECT count(*) AS n FROM ab_waiting AS w JOIN ab_events AS e"
                " USING (tenant_id, operation_id) WHERE e.kind = 'o'"
            )
            return rows[0]["n"] == sum(self.sent.values()) and joinable[0]["n"] == 0

        await eventually(so, why="all is counted", deadline_s=60)

    async def live(self, test_id: UUID) -> LiveTest:
        """A test as events meet it."""
        rows = await self.sql(
            "SELECT * FROM ab_tests LEFT JOIN ab_past_scans USING (tenant_id, test_id)"
            " WHERE test_id = $1",
            test_id,
        )
        steps = await self.sql(
            "SELECT occurred_at, state FROM ab_test_steps WHERE test_id = $1 ORDER BY 1", test_id
        )
        return live_test(rows[0], [(row[0], row[1]) for row in steps])

    async def rows(self, test_id: UUID) -> list[Candidate]:
        """What is kept of a test's events."""
        columns = ", ".join(Candidate._fields)
        found = await self.sql(f"SELECT {columns} FROM ab_events WHERE test_id = $1", test_id)
        return [Candidate(*row) for row in found]

    async def pasts(self, test_id: UUID) -> dict[UnitKey, tuple[int, ...]]:
        """What is kept of units' time before a test."""
        found = await self.sql("SELECT *, 0 AS crossovers FROM ab_past WHERE test_id = $1", test_id)
        return {
            UnitKey(row["tenant_id"], test_id, row["unit"]): tuple(row[name] for name in TOTALS)
            for row in found
        }

    async def state(self, test_id: UUID, tenant: str = "acme") -> State:
        """What is known of a test, as the service reads it."""
        async with asyncpg.create_pool(
            self.settings.postgres_dsn.get_secret_value(), min_size=1, max_size=1
        ) as pool:
            found = await PostgresStates(pool).state(tenant, test_id)
        assert found is not None
        return found

    async def verdicts(self, test_id: UUID) -> list[tuple[str, str]]:
        """What was told of a test that nobody did: verdict and state, oldest first."""
        rows = await self.sql(
            "SELECT body ->> 'verdict', state FROM ab_test_steps WHERE test_id = $1"
            " AND body ? 'verdict' AND actor IS NULL ORDER BY occurred_at",
            test_id,
        )
        return [(row[0], row[1]) for row in rows]

    async def looked(self, test_id: UUID) -> asyncpg.Record:
        """A test beside its results, once they are those of all that was sent and done."""
        await self.settled()

        async def so() -> asyncpg.Record | None:
            rows = await self.sql(
                """
                SELECT t.state, t.winner, t.ended_at, r.verdict, r.body, r.as_of
                  FROM ab_tests AS t JOIN ab_results AS r USING (tenant_id, test_id)
                 WHERE test_id = $1
                   AND (r.memory -> 'seen' ->> 'changed_at')::timestamptz = t.updated_at
                   AND (r.memory -> 'seen' ->> 'version')::bigint =
                       (SELECT coalesce(sum(version), 0) FROM ab_arms WHERE test_id = $1)
                """,
                test_id,
            )
            return rows[0] if rows else None

        found: asyncpg.Record = await eventually(so, why="it is looked at", deadline_s=60)
        return found


async def operations_of(
    world: World, test_id: UUID, units: int, rates: Mapping[str, float], *, first: int
) -> list[dict[str, Any]]:
    """One operation a unit, of which a share of its variant succeeds, as evenly as can be."""
    test, at = await world.live(test_id), datetime.now(UTC)
    made, seen = [], dict.fromkeys(rates, 0)
    for number in range(first, first + units):
        placed = test.place(f"u-{number}", at)
        assert placed is not None
        rate, n = rates[placed.variant], seen[placed.variant]
        seen[placed.variant] += 1
        is_good = int((n + 1) * rate) > int(n * rate)
        kind = None if is_good else "timeout"
        made.append(operation(number, user_id=f"u-{number}", success=is_good, error_type=kind))
    return made


async def exact(
    world: World, test_id: UUID, tenant: str = "acme"
) -> Mapping[tuple[int, str], SlowArm]:
    """Check that a test's sums are those of its rows, to the last digit; answers them."""
    pasts = await world.pasts(test_id)
    expected = arms_of(await world.rows(test_id), await world.live(test_id), pasts)
    state = await world.state(test_id, tenant)
    found = {
        (key.epoch, key.variant): (
            *(arm.units, arm.operations, arm.crossovers, dict(arm.sums)),
            [dict(one) for one in arm.sketches],
            list(arm.ratings),
        )
        for key, arm in state.arms.items()
    }
    assert found == {
        key: (arm.units, arm.operations, arm.crossovers, arm.sums, arm.bins, arm.ratings)
        for key, arm in expected.items()
    }
    assert state.multiple == sum(arm.multiple for arm in expected.values())
    assert sum(state.new_units.values()) == sum(arm.units for arm in expected.values())
    return expected


async def snapshot(world: World, test_id: UUID) -> Sequence[Any]:
    """Units and sums as they are stored."""
    units = await world.sql("SELECT * FROM ab_units WHERE test_id = $1 ORDER BY unit", test_id)
    sums = await world.sql(
        f"SELECT epoch, variant, metric, {', '.join(f'sum({name})' for name in COLUMNS)}"
        " FROM ab_sums WHERE test_id = $1 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
        test_id,
    )
    return [tuple(row) for row in (*units, *sums)]


def settings_of(
    dsns: Mapping[str, str], kafka_bootstrap: str, topic_prefix: str, redis_url: str
) -> AbtestSettings:
    """Settings of an abtest on these servers."""
    return AbtestSettings(
        kafka_bootstrap_servers=kafka_bootstrap,
        topic_prefix=topic_prefix,
        redis_url=redis_url,
        postgres_dsn=dsns["abtest"],
        secret_key=SECRET,
    )


@pytest.fixture(scope="module")
async def surroundings(
    kafka_bootstrap: str, topic_prefix: str, database_dsn: str, redis_url: str
) -> World:
    """What abtest needs, and no abtest."""
    dsns = await prepared(database_dsn)
    await topics(kafka_bootstrap, topic_prefix)
    settings = settings_of(dsns, kafka_bootstrap, topic_prefix, redis_url)
    return World(settings, kafka_bootstrap, database_dsn)


@pytest.fixture(scope="module")
async def world(surroundings: World) -> AsyncIterator[World]:
    """abtest, running."""
    async with running(run(surroundings.settings)):
        yield surroundings


@pytest.fixture
async def pool(surroundings: World) -> AsyncIterator[asyncpg.Pool]:
    """Postgres as abtest sees it."""
    async with asyncpg.create_pool(
        surroundings.settings.postgres_dsn.get_secret_value(), min_size=1, max_size=4
    ) as made:
        yield made
