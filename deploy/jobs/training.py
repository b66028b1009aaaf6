"""Make training rows anew from what was said, or compare what two formulas would make of them."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from deploy.jobs.where import Where, connected
from services.feedback.domain.comparing import Comparison, compare
from services.feedback.domain.formulas import formula
from services.feedback.domain.weighting import instant
from services.feedback.store.remaking import PostgresRemaking
from shared import clock
from shared.clock import utc_now

LOOK_EVERY_S = 0.5
NO_PROGRESS_S = 60.0


class Remade(NamedTuple):
    """How many operations were asked for, and how many notes were left when nobody went on."""

    operations: int
    left: int


async def remake_rows(
    where: Where, tell: Callable[[str, int, int], None] = lambda what, done, total: None
) -> Remade:
    """Ask the running services for all rows anew, and wait until they are made.

    They weigh by their own setting. Ends early if nobody makes rows for a minute; what was asked
    for stays so.
    """
    async with connected(where) as (pool, _):
        store = PostgresRemaking(pool)
        total = await store.operations()
        async for noted in store.note():
            tell("noted", noted, total)
        left, moved_at = await store.due(), clock.monotonic()
        while left and clock.monotonic() - moved_at < NO_PROGRESS_S:
            tell("made", max(0, total - left), total)
            await asyncio.sleep(LOOK_EVERY_S)
            before, left = left, await store.due()
            if left < before:
                moved_at = clock.monotonic()
        return Remade(total, left)


async def compare_formulas(where: Where, old: str, new: str) -> Comparison:
    """What a rebuild would change, at one instant. Raises ValueError for an unknown version."""
    by = formula(old), formula(new)
    async with connected(where) as (pool, _):
        rows = [one async for one in PostgresRemaking(pool).evidence()]
    return compare(rows, instant(utc_now()), *by)
