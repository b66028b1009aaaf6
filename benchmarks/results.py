"""One look at a test of a million units: sums read, compared, judged and stored."""

import statistics
import time
from typing import Any
from uuid import UUID

import asyncpg

from benchmarks.abtest import begin
from benchmarks.servers import Servers
from services.abtest.domain.results import FORMULA_VERSION, results
from services.abtest.store.results import PostgresResults

UNITS = 1_000_000
LOOKS = 11
METRICS = ("success_rate", "tokens", "cost_usd", "response_time_ms")


async def results_of_many(target: Servers) -> dict[str, float]:
    """Milliseconds of a look at 1,000,000 units, 4 metrics and 2 arms; median and largest."""
    connection = await asyncpg.connect(target.postgres_dsn)
    test_id = await begin(connection, "bench-results", METRICS)
    for statement in FILL:
        await connection.execute(statement, test_id)
    took = []
    async with asyncpg.create_pool(target.dsns["abtest"]) as pool:
        for _ in range(LOOKS):
            took.append(await _look(pool, test_id))
            await connection.execute(CHANGE, test_id)
    await connection.close()
    return {"results_look_ms": statistics.median(took), "results_look_max_ms": max(took)}


async def _look(pool: Any, test_id: UUID) -> float:
    """As the service looks: one transaction."""
    store = PostgresResults(pool)
    began = time.perf_counter()
    due = next(one for one in await store.due(FORMULA_VERSION) if one.test_id == test_id)
    async with store.looking(due) as look:
        if look is None:
            raise RuntimeError("another process looks")
        at = look.state.last_event_at or look.state.started_at
        answer, memory = results(look.state, look.before.memory, at)
        await look.keep(answer, memory)
    took = (time.perf_counter() - began) * 1_000
    if sum(one.units for one in answer.variants) != UNITS or not answer.comparisons[0].se:
        raise RuntimeError(f"not the results of {UNITS} units: {answer.verdict}")
    return took


# Units as they would be stored, then their sums in the shards of six partitions.
FILL = (
    f"""
    INSERT INTO ab_units (tenant_id, test_id, unit, cell, seen, epoch, variant, first_at, events,
                          n, ok, ln, slow, tok_n, tok, cost_n, cost)
    SELECT 'acme', $1, 'unit-' || i, (i % 1024)::int, '1:' || v, 1, v,
           now() - i % 3600 * interval '1 s',
           n, n, (i % 20 <> 0)::int * n, n * (6000000 + i * 7919 % 1000000), 0,
           n, n * (i % 900 + 100), n, n * (i % 900 + 100) * 1000
      FROM generate_series(1::bigint, {UNITS}) AS i,
           LATERAL (SELECT CASE i % 2 WHEN 0 THEN 'a' ELSE 'b' END AS v, 1 + i % 7 AS n) AS x
    """,
    """
    INSERT INTO ab_arms (tenant_id, test_id, epoch, variant, shard, units, operations,
                         first_at, last_at, as_of)
    SELECT tenant_id, test_id, epoch, variant, cell % 6, count(*), sum(n), min(first_at),
           max(first_at), now()
      FROM ab_units WHERE test_id = $1 GROUP BY 1, 2, 3, 4, 5
    """,
    """
    INSERT INTO ab_sums (tenant_id, test_id, epoch, variant, metric, shard, n, m, mm, d, dd, md)
    SELECT tenant_id, test_id, epoch, variant, metric, cell % 6, count(*), sum(m), sum(m * m),
           sum(d), sum(d * d), sum(m * d)
      FROM ab_units, LATERAL (VALUES
           ('success_rate', ok::numeric, n::numeric), ('tokens', tok, tok_n),
           ('cost_usd', cost, cost_n), ('response_time_ms', ln / n, 1)) AS x (metric, m, d)
     WHERE test_id = $1 GROUP BY 1, 2, 3, 4, 5, 6
    """,
    """
    INSERT INTO ab_sketches (tenant_id, test_id, epoch, variant, grp, shard, bins)
    SELECT 'acme', $1, 1, variant, grp, shard, (SELECT jsonb_object_agg(bin, 200 + bin % 37)
                                                  FROM generate_series(200, 400) AS bin)
      FROM unnest(ARRAY['a', 'b']) AS variant, generate_series(0, 19) AS grp,
           generate_series(0, 5) AS shard
    """,
    """
    INSERT INTO ab_days (tenant_id, test_id, day, shard, units)
    SELECT tenant_id, test_id, first_at::date, cell % 6, count(*)
      FROM ab_units WHERE test_id = $1 GROUP BY 1, 2, 3, 4
    """,
)
# A look is due again two seconds after the last, once something has changed.
CHANGE = """
    WITH changed AS (UPDATE ab_arms SET version = version + 1 WHERE test_id = $1)
    UPDATE ab_results SET computed_at = computed_at - interval '1 minute' WHERE test_id = $1
"""
