"""What has been kept long enough goes, of whoever it is and no one else, and counts as before."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from deploy.jobs.recount import recount
from deploy.jobs.retention import preview, run
from services.feedback.store.retaining import PostgresRetaining as FeedbackRetaining
from services.ingest.queries import retention as queries
from services.ingest.store.retaining import PostgresRetaining
from shared.clock import utc_now
from tests.integration.privacy.parts import FEEDBACK, OPERATIONS, Feedback, Gateway, Ingest
from tests.support.events import feedback as said
from tests.support.events import now_text, operation
from tests.support.system import Rows

DAY_S = 86_400
OLD, YOUNG = now_text(ago_s=20 * DAY_S), now_text(ago_s=5 * DAY_S)
COUNTED = (
    "SELECT sum(n)::int, sum(ok)::int, sum(rt_us)::bigint, sum(f_n)::int"
    " FROM operation_rollup_minute"
)


@pytest.fixture
async def begun(rows: Rows) -> None:
    """An installation that was upgraded long ago."""
    await rows("UPDATE retention_start SET not_before = now() - interval '1 year'")


async def keeps(rows: Rows, tenant: str, of_class: str, days: int, ago: str = "2 days") -> None:
    """Somebody said so, a while ago."""
    await rows(
        "INSERT INTO retention VALUES ($1, $2, $3, now() - $4::interval, 'tests')"
        " ON CONFLICT (tenant_id, class) DO UPDATE SET days = $3, changed_at = excluded.changed_at",
        *(tenant, of_class, days, timedelta(days=2) if ago == "2 days" else timedelta(0)),
    )


async def passed(ingest: Ingest) -> dict[str, int]:
    """What one pass let go of."""
    gone = await PostgresRetaining(ingest.pool, utc_now).look()
    return {name: count for name, count in gone.items() if count}


async def stored(rows: Rows, table: str = "ai_model_operations") -> list[tuple[str, str]]:
    found = await rows(f"SELECT tenant_id, operation_id FROM {table} ORDER BY 1, 2")
    return [tuple(row) for row in found]


async def agree(dsn: str) -> bool:
    """Whether rows, with what is kept of those that went, are what minutes hold."""
    connection = await asyncpg.connect(dsn)
    try:
        return not (await recount(connection, datetime.now(UTC) - timedelta(days=80))).differences
    finally:
        await connection.close()


def of(tenant: str, number: int, at: str, **changes: Any) -> dict[str, Any]:
    return operation(number, tenant_id=tenant, occurred_at=at, **changes)


async def test_one_tenants_old_rows_go_and_no_other_ones(
    ingest: Ingest, rows: Rows, begun: None, fresh_database: str
) -> None:
    events = [of("acme", 1, OLD), of("acme", 2, YOUNG), of("globex", 3, OLD)]
    await ingest.take(OPERATIONS, events)
    await ingest.take(
        FEEDBACK,
        [
            said(1, occurred_at=OLD, model_id="model-1"),
            said(3, occurred_at=OLD, tenant_id="globex", model_id="model-0"),
        ],
    )
    before = await rows(COUNTED)
    assert await passed(ingest) == {}
    await keeps(rows, "acme", "operations", 14)
    await keeps(rows, "acme", "feedback", 14)
    assert await passed(ingest) == {"operations": 1, "feedback": 1}
    assert await stored(rows) == [("acme", "op-2"), ("globex", "op-3")]
    assert await stored(rows, "user_feedback") == [("globex", "op-3")]
    assert await rows(COUNTED) == before
    assert await agree(fresh_database)
    assert await passed(ingest) == {}


async def test_what_went_and_comes_again_is_a_repeat(
    ingest: Ingest, rows: Rows, begun: None, fresh_database: str
) -> None:
    old, young = of("acme", 1, OLD), of("acme", 2, YOUNG)
    await ingest.take(OPERATIONS, [old, young])
    vote = said(1, occurred_at=OLD, model_id="model-1")
    await ingest.take(FEEDBACK, [vote])
    await keeps(rows, "acme", "operations", 14)
    await keeps(rows, "acme", "feedback", 14)
    await passed(ingest)
    before = await rows(COUNTED)
    accepted, duplicates, dead, erased = await ingest.take(
        OPERATIONS, [old, young, of("acme", 4, OLD)]
    )
    assert (accepted, duplicates, dead, erased) == (1, 2, 0, 0)
    assert (await ingest.take(FEEDBACK, [vote]))[:2] == (0, 1)
    after = await rows(COUNTED)
    assert after[0][0] == before[0][0] + 1, "what is new counts, however old it is"
    assert after[0][3] == before[0][3]
    assert await stored(rows) == [("acme", "op-2"), ("acme", "op-4")]
    assert await stored(rows, "user_feedback") == []
    assert await agree(fresh_database)
    assert await passed(ingest) == {"operations": 1}
    assert await agree(fresh_database)


@pytest.mark.parametrize("held", ["tenant", "installation"])
async def test_nothing_goes_for_a_day_after_a_change(
    ingest: Ingest, rows: Rows, begun: None, held: str
) -> None:
    await ingest.take(OPERATIONS, [of("acme", 1, OLD)])
    await keeps(rows, "acme", "operations", 14, ago="now" if held == "tenant" else "2 days")
    if held == "installation":
        await rows("UPDATE retention_start SET not_before = now() + interval '1 hour'")
    assert await passed(ingest) == {}
    assert await stored(rows) == [("acme", "op-1")]
    await keeps(rows, "acme", "operations", 14)
    await rows("UPDATE retention_start SET not_before = now()")
    assert await passed(ingest) == {"operations": 1}


async def test_many_rows_of_many_days_go_in_portions(
    ingest: Ingest, rows: Rows, begun: None, monkeypatch: pytest.MonkeyPatch, fresh_database: str
) -> None:
    monkeypatch.setattr("services.ingest.queries.erased.MOST_ROWS", 7)
    days = [now_text(ago_s=(18 + number % 5) * DAY_S) for number in range(50)]
    await ingest.take(OPERATIONS, [of("acme", n, at) for n, at in enumerate(days)])
    await keeps(rows, "acme", "operations", 14)
    portions: list[int] = []
    await PostgresRetaining(ingest.pool, utc_now, lambda _, gone: portions.append(gone)).look()
    assert sum(portions) == 50
    assert max(portions) == 7
    assert await stored(rows) == []
    assert await agree(fresh_database)


async def partition(rows: Rows, ago: int, table: str = "ai_model_operations") -> date:
    """Make the partition of a day, and put a row of acme into it."""
    day = datetime.now(UTC).date() - timedelta(days=ago)
    await rows("SELECT ensure_day_partition($1::text::regclass, $2)", table, day)
    return day


async def days_of(rows: Rows) -> set[date]:
    found = await rows(
        "SELECT to_date(right(c.relname, 8), 'YYYYMMDD') FROM pg_inherits AS i"
        " JOIN pg_class AS c ON c.oid = i.inhrelid"
        " WHERE i.inhparent = 'ai_model_operations'::regclass"
    )
    return {row[0] for row in found}


async def test_a_day_leaves_as_a_whole_when_nobody_keeps_it(
    ingest: Ingest, rows: Rows, begun: None
) -> None:
    gone, kept = await partition(rows, 101), await partition(rows, 98)
    assert await passed(ingest) == {"days": 1}
    assert await days_of(rows) & {gone, kept} == {kept}
    gone = await partition(rows, 101)
    await keeps(rows, "globex", "operations", 365)
    assert await passed(ingest) == {}
    await keeps(rows, "globex", "operations", 20)
    await keeps(rows, "acme", "operations", 20)
    assert await passed(ingest) == {"days": 1}
    assert await days_of(rows) & {gone, kept} == {kept}, "events of that time may still come"


async def test_rows_of_the_one_go_from_days_that_the_other_keeps(
    ingest: Ingest, rows: Rows, begun: None
) -> None:
    day = await partition(rows, 120)
    await keeps(rows, "globex", "operations", 365)
    for tenant in ("acme", "globex"):
        await rows(
            "INSERT INTO ai_model_operations (tenant_id, event_id, occurred_at, operation_id,"
            " model_id, environment, operation_type, success, response_time_ms, payload_hash,"
            " kafka_topic, kafka_partition, kafka_offset) VALUES ($1, gen_random_uuid(), $2,"
            " 'old', 'm', 'p', 'chat', true, 1, '', 't', 0, 1)",
            *(tenant, datetime(day.year, day.month, day.day, 12, tzinfo=UTC)),
        )
    assert await passed(ingest) == {"operations": 1}
    assert await stored(rows) == [("globex", "old")]
    assert day in await days_of(rows)


async def test_a_day_that_somebody_reads_stays_until_the_next_pass(
    ingest: Ingest, rows: Rows, begun: None, fresh_database: str
) -> None:
    day = await partition(rows, 101)
    reader = await asyncpg.connect(fresh_database)
    try:
        async with reader.transaction():
            await reader.fetch("SELECT count(*) FROM ai_model_operations")
            assert await passed(ingest) == {}
    finally:
        await reader.close()
    assert day in await days_of(rows)
    assert await passed(ingest) == {"days": 1}


async def test_nobody_drops_a_day_that_somebody_keeps(
    ingest: Ingest, rows: Rows, begun: None
) -> None:
    for day in (await partition(rows, 0), await partition(rows, 98)):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="somebody keeps this day"):
            await ingest.pool.fetchval("SELECT drop_day_partition('ai_model_operations', $1)", day)
    with pytest.raises(asyncpg.RaiseError, match="has no day partitions"):
        await ingest.pool.fetchval("SELECT drop_day_partition('tenants', current_date - 200)")


async def test_dead_letters_minutes_and_identities_go_by_their_age(
    ingest: Ingest, rows: Rows, begun: None
) -> None:
    await ingest.take(OPERATIONS, [of("acme", 1, OLD), b"{", b'{"tenant_id": "acme"}'])
    await keeps(rows, "acme", "operations", 14)
    await passed(ingest)
    await rows("UPDATE dead_letters SET first_seen_at = now() - interval '40 days'")
    assert await passed(ingest) == {}, "nobody was told of them yet"
    await rows("UPDATE dead_letters SET published_at = now()")
    assert await passed(ingest) == {"dead_letters": 2}
    await rows("UPDATE operation_rollup_minute SET minute = minute - interval '400 days'")
    await rows("UPDATE erased_rows_minute SET minute = minute - interval '400 days'")
    await rows("UPDATE erased_events SET ingested_at = ingested_at - interval '100 days'")
    assert await passed(ingest) == {"minutes": 2, "identities": 1}


async def test_what_was_made_of_an_operation_goes_after_it_and_not_before(
    feedback: Feedback, ingest: Ingest, gateway: Gateway, rows: Rows, begun: None
) -> None:
    text = {"input_text": "q", "output_text": "a"}
    await ingest.take(OPERATIONS, [of("acme", 1, OLD, **text), of("acme", 2, YOUNG, **text)])
    await ingest.take(FEEDBACK, [said(1, correction="b"), said(2, correction="c")])
    await feedback.take(ingest.last)
    await feedback.make()
    made = ("model_training_data", "feedback_analysis", "feedback_operations")
    retaining = FeedbackRetaining(feedback.pool)
    await keeps(rows, "acme", "operations", 14)
    assert await retaining.look() == 0, "its operation is there, so one could still vote on it"
    assert await passed(ingest) == {"operations": 1}
    assert await retaining.look() == 1
    assert await retaining.look() == 0, "a portion waits for the one before"
    await feedback.settle()
    await gateway.settle()
    for table in made:
        assert {row[1] for row in await stored(rows, table)} == {"op-2"}, table
    assert await rows("SELECT * FROM erasure_due") == []
    assert await retaining.look() == 0


async def test_votes_on_what_never_came_go_too(
    feedback: Feedback, ingest: Ingest, rows: Rows, begun: None
) -> None:
    await ingest.take(FEEDBACK, [said(1, correction="b")])
    await feedback.take(ingest.last)
    await feedback.make()
    await keeps(rows, "acme", "operations", 14)
    retaining = FeedbackRetaining(feedback.pool)
    assert await retaining.look() == 0
    await rows("UPDATE feedback_operations SET first_at = first_at - interval '18 days'")
    assert await retaining.look() == 1
    await feedback.settle()
    assert await stored(rows, "feedback_analysis") == []


async def test_letters_of_a_tenant_that_there_is_not_go_too(
    ingest: Ingest, rows: Rows, begun: None
) -> None:
    await ingest.take(OPERATIONS, [b"{"])
    await rows(
        "UPDATE dead_letters SET published_at = now(), first_seen_at = now() - interval '31 days',"
        " tenant_id = 'nobody'"
    )
    assert await passed(ingest) == {"dead_letters": 1}


async def test_what_fails_for_one_tenant_holds_up_no_other(
    ingest: Ingest, rows: Rows, begun: None
) -> None:
    await ingest.take(OPERATIONS, [of("acme", 1, OLD), of("globex", 2, OLD)])
    for tenant in ("acme", "globex"):
        await keeps(rows, tenant, "operations", 14)
    await rows(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'no'; END $$"
    )
    await rows(
        "CREATE TRIGGER refuse BEFORE INSERT ON erased_events FOR EACH ROW"
        " WHEN (NEW.tenant_id = 'acme') EXECUTE FUNCTION refuse()"
    )
    assert await passed(ingest) == {"operations": 1}
    assert await stored(rows) == [("acme", "op-1")]


async def test_a_tenant_that_thinks_better_of_it_is_heard_at_once(
    ingest: Ingest, rows: Rows, begun: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.ingest.queries.erased.MOST_ROWS", 3)
    await ingest.take(OPERATIONS, [of("acme", n, OLD) for n in range(10)])
    await keeps(rows, "acme", "operations", 14)
    retaining = PostgresRetaining(ingest.pool, utc_now, lambda _, gone: portions.append(gone))
    portions: list[int] = []
    oldest = queries.oldest

    async def asked(*given: Any) -> Any:
        if len(portions) == 2:
            await keeps(rows, "acme", "operations", 365, ago="now")
        return await oldest(*given)

    monkeypatch.setattr(queries, "oldest", asked)
    gone = await retaining.look()
    assert gone["operations"] == 9, "what was under way, and nothing after it"
    assert len(await stored(rows)) == 1


async def test_a_preview_says_what_a_pass_does(
    ingest: Ingest, rows: Rows, begun: None, fresh_database: str
) -> None:
    await ingest.take(OPERATIONS, [of("acme", 1, OLD), of("acme", 2, YOUNG), b"{"])
    await ingest.take(FEEDBACK, [said(1, occurred_at=OLD, model_id="model-1")])
    await partition(rows, 101)
    await rows(
        "UPDATE dead_letters SET published_at = now(), first_seen_at = now() - interval '1 year'"
    )
    await rows("UPDATE operation_rollup_minute SET minute = minute - interval '401 days'")
    for of_class in ("operations", "feedback"):
        await keeps(rows, "acme", of_class, 14)
    expected = await preview(fresh_database)
    assert expected == (1, 1, 1, 1, 3)
    assert await run(fresh_database, lambda what, gone: None) == expected
    assert await preview(fresh_database) == (0,) * 5
