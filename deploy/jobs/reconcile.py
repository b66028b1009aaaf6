"""Compare all stores: rows, minutes and live cells; mend the live ones."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from asyncpg import Pool

from deploy.jobs.rebuild import ingested_partitions
from deploy.jobs.recount import Recount, recount
from deploy.jobs.where import Where, connected
from services.metrics.service.comparing import REACH, Comparer, Comparison
from services.metrics.store.comparing import RedisComparison
from services.metrics.store.minutes import StoredMinutes
from shared.clock import utc_now

SHOWN = 50


@dataclass(slots=True)
class Reconciliation:
    """What came of comparing everything."""

    recount: Recount
    live: list[Comparison] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        """Whether nothing differed (or was mended)."""
        return not self.recount.differences and not any(one.differences for one in self.live)

    @property
    def complete(self) -> bool:
        """Whether every partition could be compared."""
        return not any(one.skipped for one in self.live)

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        minutes = self.recount.differences
        return {
            "equal": self.equal,
            "complete": self.complete,
            "rows": self.recount.rows,
            "minutes": self.recount.minutes,
            "minutes_differ": len(minutes),
            "minutes_differences": [
                {"partition": one, "cell": key, "lacking": lacking}
                for one, key, lacking in minutes[:SHOWN]
            ],
            "live": [
                {
                    "topic": one.partition.topic,
                    "partition": one.partition.partition,
                    "cells": one.cells,
                    "cells_differ": len(one.differences),
                    "measures_differ": one.measures,
                    "mended": one.mended,
                    "skipped": one.skipped,
                }
                for one in self.live
            ],
        }


async def reconcile(
    where: Where,
    *,
    back: timedelta,
    mend: bool,
    tell: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> Reconciliation:
    """Rows against minutes of the time `back`, then minutes against all live cells."""
    async with connected(where) as (pool, client):

        async def made() -> Pool:
            return pool

        tell("rows", 0, 1)
        since = (utc_now() - back).replace(second=0, microsecond=0)
        async with pool.acquire() as connection:
            done = Reconciliation(await recount(connection, since))
        comparer = Comparer(
            RedisComparison(client, utc_now), StoredMinutes(made), durable=where.durable
        )
        partitions = await ingested_partitions(pool, where.prefix)
        for place, partition in enumerate(partitions):
            tell("live cells", place, len(partitions))
            done.live.append(
                await comparer.compare(
                    partition, since=0, minutes_since=utc_now() - REACH, mend=mend
                )
            )
    return done
