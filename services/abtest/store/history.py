"""What tests said over time, kept with the results of each look."""

import asyncio
from datetime import datetime

from services.abtest.domain.history import needless, points, thinned_from
from services.abtest.domain.state import TestState
from services.abtest.queries import history as queries
from shared.delivery.postgres import Session
from shared.experiments.results import ResultsAnswer


async def keep_history(
    connection: Session, state: TestState, answer: ResultsAnswer, before: datetime | None
) -> None:
    """Keep a look's intervals and thin those before it; the same look again changes nothing.

    `before` is the `as_of` of the look before, if there was one.
    """
    found = points(answer)
    if not found:
        return
    key, at = (state.tenant_id, state.test_id), answer.as_of
    await queries.put(connection, key, found)
    first = [one for one in found if one.excludes_zero]
    if first:
        await queries.put_first(connection, key, first)
    since = thinned_from(state.started_at, before, at)
    places = await queries.places(connection, key, since)
    # All of a test, when its slots have grown: tens of thousands; batches go on meanwhile.
    gone = await asyncio.to_thread(needless, places, state.started_at, at)
    if gone:
        await queries.remove(connection, key, gone)
