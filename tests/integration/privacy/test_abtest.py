"""Units of A/B tests lose their names; what they counted for stays to the last digit."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from pydantic_core import to_json

from services.abtest.domain.live import EPOCHS
from services.abtest.store.recounting import PostgresRecount
from shared.experiments.assignment import Epoch, Weight
from tests.integration.privacy.parts import (
    EXPOSURES,
    FEEDBACK,
    NAMES,
    OPERATIONS,
    Abtest,
    Gateway,
    Ingest,
)
from tests.support.events import feedback, now_text, operation
from tests.support.experiments import body
from tests.support.system import Rows
from tests.support.traces import in_postgres as traces

ANNA = "anna-of-acme"
SUMS = (
    "ab_arms ORDER BY test_id, epoch, variant, shard",
    "ab_sums ORDER BY test_id, epoch, variant, metric, shard",
    "ab_sketches ORDER BY test_id, epoch, variant, grp, shard",
    "ab_days ORDER BY test_id, day, shard",
)


async def begin(rows: Rows, key: str, **changes: Any) -> UUID:
    """A test that has been running for an hour."""
    test_id, since = uuid4(), datetime.now(UTC) - timedelta(hours=1)
    weights = (Weight("a", 0.5), Weight("b", 0.5))
    epochs = (Epoch(1, f"{test_id}.1", weights, 1.0, ((0, 10_000),), since),)
    await rows(
        "INSERT INTO ab_tests"
        " (tenant_id, test_id, key, body, state, epochs, created_by, started_at)"
        " VALUES ('acme', $1, $2, $3, 'running', $4, 'test', $5)",
        *(test_id, key, to_json(body(key=key, **changes)).decode()),
        *(EPOCHS.dump_json(epochs).decode(), since),
    )
    await rows(
        "INSERT INTO ab_test_steps (tenant_id, event_id, test_id, occurred_at, state, reason, body)"
        " VALUES ('acme', gen_random_uuid(), $1, $2, 'running', '', '{}')",
        *(test_id, since),
    )
    return test_id


async def sums(rows: Rows) -> list[Any]:
    return [[tuple(row) for row in await rows(f"SELECT * FROM {one}")] for one in SUMS]


def exposure(test_id: UUID, unit: str) -> dict[str, Any]:
    return {
        "event_id": str(uuid4()),
        "tenant_id": "acme",
        "occurred_at": now_text(ago_s=60),
        "test_id": str(test_id),
        "unit_id": unit,
        "variant": "a",
    }


async def receipt(gateway: Gateway, made: dict[str, Any]) -> Any:
    found = await gateway.erasure(made)
    return next(one for one in found["receipts"] if one["service"] == "abtest")


@pytest.mark.parametrize("mode", ["erase", "anonymise"])
async def test_units_lose_their_names_and_sums_stay(
    gateway: Gateway, ingest: Ingest, abtest: Abtest, rows: Rows, fresh_database: str, mode: str
) -> None:
    by_user = await begin(rows, "by-user")
    by_session = await begin(rows, "by-session", unit="session_id")
    events = [
        operation(n, user_id=ANNA if n < 3 else f"user-{n}", session_id=f"session-{n}")
        for n in range(9)
    ]
    told = [exposure(by_user, ANNA), exposure(by_session, "session-1")]
    said = [feedback(n, user_id="bob") for n in range(6)] + [feedback(77, user_id="bob")]
    sent = []
    for partition, values in ((OPERATIONS, events), (EXPOSURES, told), (FEEDBACK, said)):
        await ingest.take(partition, values)
        sent.append(ingest.last)
        await abtest.take(ingest.last)
    before, units = await sums(rows), await rows("SELECT count(*) FROM ab_units")
    pseudonyms = [NAMES.pseudonym("acme", one) for one in (ANNA, "session-0", "session-1")]
    assert (await traces(fresh_database, pseudonyms[2]))["ab_units"] == 1
    made = await gateway.erase(user_id=ANNA, mode=mode)
    for _ in range(4):
        await ingest.settle()
        await abtest.settle()
    assert (await receipt(gateway, made))["at"] is not None
    assert await traces(fresh_database, ANNA, *pseudonyms) == {"erasures": 1}
    assert await traces(fresh_database, "op-0", "op-1", "op-2,") == {"erasure_due": 6}
    assert await sums(rows) == before
    assert await rows("SELECT count(*) FROM ab_units") == units
    renamed = await rows("SELECT unit FROM ab_units WHERE unit LIKE 'erased.%'")
    assert len(renamed) == 4
    # A count from the beginning gives the same, and what comes again counts no more.
    for records in sent:
        again = [one._replace(offset=one.offset + len(records)) for one in records]
        await abtest.take(again)
    assert await sums(rows) == before
    async with asyncpg.create_pool(fresh_database, min_size=0, max_size=2) as pool:
        for test_id in (by_user, by_session):
            found = await PostgresRecount(pool).recount("acme", test_id)
            assert not found.differs


async def test_an_operation_alone_leaves_its_unit_its_name(
    gateway: Gateway, ingest: Ingest, abtest: Abtest, rows: Rows
) -> None:
    await begin(rows, "by-user")
    await ingest.take(OPERATIONS, [operation(n, user_id=ANNA) for n in range(3)])
    await abtest.take(ingest.last)
    before = await sums(rows)
    await gateway.erase(operation_id="op-1")
    for _ in range(4):
        await ingest.settle()
        await abtest.settle()
    found = await rows("SELECT operation_id FROM ab_events ORDER BY 1 NULLS FIRST")
    assert [row[0] for row in found] == [None, "op-0", "op-2"]
    assert await sums(rows) == before
    assert len(await rows("SELECT 1 FROM ab_units WHERE unit LIKE 'erased.%'")) == 0


async def test_who_comes_back_is_a_new_unit(
    gateway: Gateway, ingest: Ingest, abtest: Abtest, rows: Rows
) -> None:
    await begin(rows, "by-user")
    await ingest.take(OPERATIONS, [operation(1, user_id=ANNA)])
    await abtest.take(ingest.last)
    await gateway.erase(user_id=ANNA)
    for _ in range(4):
        await ingest.settle()
        await abtest.settle()
    later = (datetime.now(UTC) + timedelta(seconds=5)).isoformat()
    await ingest.take(OPERATIONS, [operation(2, user_id=ANNA, occurred_at=later)])
    assert (await abtest.take(ingest.last)).accepted == 1
    assert len(await rows("SELECT 1 FROM ab_units")) == 2


async def test_what_somebody_did_before_a_test_goes_too(
    gateway: Gateway, ingest: Ingest, abtest: Abtest, rows: Rows
) -> None:
    test_id = await begin(rows, "by-user")
    await ingest.take(OPERATIONS, [operation(1, user_id=ANNA)])
    await abtest.take(ingest.last)
    pseudonym = NAMES.pseudonym("acme", ANNA)
    for unit in (pseudonym, "another"):
        await rows(
            "INSERT INTO ab_past (tenant_id, test_id, unit, n) VALUES ('acme', $1, $2, 3)",
            *(test_id, unit),
        )
    await gateway.erase(user_id=ANNA)
    for _ in range(2):
        await ingest.settle()
        await abtest.settle()
    # Somebody who read rows before they went, and stored what they say after their unit's name.
    found = await rows("SELECT unit FROM ab_past WHERE unit <> 'another'")
    assert [row[0].startswith("erased.") for row in found] == [True]
