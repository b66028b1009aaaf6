"""SQL of single operations that rules ask for, read from where they were read up to before."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from asyncpg import Pool

from services.metrics.domain.rows import LONG_S, SHORT_S, Agent, Position, Read, Wanted
from services.metrics.queries.snapshot import SOURCE_GROUP, Session, one_instant
from shared.alerts.slots import AGENT_KEYS, HAS_VERSION, VERSION_KEYS, Stored, stored_of
from shared.alerts.versions import KNOWN_S
from shared.measures.cells import HOUR
from shared.measures.stored import NO_JIT, cells_sql

# So long after its transaction began an operation may at most have been stored.
SLACK = timedelta(minutes=5)
# A clock may be so far ahead.
AHEAD = timedelta(hours=1)
# An hour of a busy tenant takes seconds.
PORTION = timedelta(hours=1)

_ENDS = "SELECT partition, next_offset FROM consumer_fence WHERE consumer_group = $1 AND topic = $2"
_SPAN = "tenant_id = $1 AND occurred_at >= $2 AND occurred_at < $3"
_LATER = (
    "ingested_at >= $5 AND kafka_topic = $6 AND kafka_offset >= ($7::bigint[])[kafka_partition + 1]"
)


def _statements(keys: Mapping[str, str], which: str) -> tuple[str, str]:
    """All of a span, and what of it was stored since."""
    span = f"{_SPAN} AND {which}"
    return cells_sql(keys, span), cells_sql(keys, f"{span} AND {_LATER}")


_AGENTS = _statements(AGENT_KEYS, "agent_id = ANY($4)")
# `$4` is there for nothing but its place.
_VERSIONS = _statements(VERSION_KEYS, f"{HAS_VERSION} AND $4::text[] IS NOT NULL")


class _Reader:
    """Reads one tenant's operations at one instant."""

    def __init__(self, connection: Session, tenant_id: str, now: datetime) -> None:
        self._connection = connection
        self._tenant_id = tenant_id
        self._now = now

    async def past(self, statement: str, names: Sequence[str], back_s: int) -> list[Stored]:
        """All of so many seconds, hour by hour."""
        start = (self._now - timedelta(seconds=back_s)).replace(minute=0, second=0, microsecond=0)
        found: list[Stored] = []
        while start < self._now + AHEAD:
            values = self._tenant_id, start, start + PORTION, names
            found += map(stored_of, await self._connection.fetch(statement, *values))
            start += PORTION
        return found

    async def later(
        self, statement: str, names: Sequence[str], topic: str, since: Position, places: int
    ) -> list[Stored]:
        """What was stored since then."""
        span = self._now - timedelta(seconds=LONG_S + HOUR), self._now + AHEAD
        starts = [since.ends.get(place, 0) for place in range(places)]
        values = (self._tenant_id, *span, names, since.at - SLACK, topic, starts)
        return list(map(stored_of, await self._connection.fetch(statement, *values)))


async def read(
    pool: Pool, topic: str, tenant_id: str, wanted: Wanted, known: Wanted, since: Position | None
) -> tuple[Read, Position] | None:
    """Of what is `known` what was stored `since`, of all else that is `wanted` all of its past.

    `None` when the log began anew: then nothing is known any more.
    """
    async with one_instant(pool) as connection:
        await connection.execute(NO_JIT)
        rows = await connection.fetch(_ENDS, SOURCE_GROUP, topic)
        position = Position(dict(map(tuple, rows)), await connection.fetchval("SELECT now()"))
        reader, fresh = _Reader(connection, tenant_id, position.at), wanted.without(known)
        agents: dict[Agent, list[Stored]] = {}
        versions: list[Stored] = []
        if since is not None:
            if not position.follows(since):
                return None
            where = topic, since, max(position.ends, default=-1) + 1
            if known.agents:
                found = await reader.later(_AGENTS[1], known.names(), *where)
                agents = {
                    one: [row for row in found if row.name == one.name] for one in known.agents
                }
            if known.versions:
                versions += await reader.later(_VERSIONS[1], [], *where)
        for back_s in (SHORT_S, LONG_S):
            if names := fresh.names(back_s):
                found = await reader.past(_AGENTS[0], names, back_s)
                agents |= {
                    Agent(name, back_s): [row for row in found if row.name == name]
                    for name in names
                }
        if fresh.versions:
            versions += await reader.past(_VERSIONS[0], [], KNOWN_S)
    return Read(agents, versions), position
