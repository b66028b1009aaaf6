"""SQL of single operations that rules look at: their past, and on from where they were read to."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime, timedelta

from asyncpg import Pool

from services.metrics.domain.rows import VERSIONS, Lens, Position
from services.metrics.queries.snapshot import SOURCE_GROUP, Session, one_instant
from shared.alerts.slots import AGENT_KEYS, VERSION_KEYS, Stored, stored_of, versions_of
from shared.measures.stored import NO_JIT, cells_sql

# Ingest's own limits end a transaction long before it is so old: see shared/delivery/postgres.py.
SLACK = timedelta(seconds=90)
# A clock may be so far ahead.
AHEAD = timedelta(hours=1)
# Of a busy tenant that takes seconds; a whole number of slots.
PORTION = timedelta(minutes=10)

_ENDS = "SELECT partition, next_offset FROM consumer_fence WHERE consumer_group = $1 AND topic = $2"
_SPAN = "tenant_id = $1 AND occurred_at >= $2 AND occurred_at < $3 AND kafka_topic = $4"
_OF_AGENTS = "agent_id = ANY($5)"
# The place is there for nothing but its number.
_OF_ALL = "$5::text[] IS NOT NULL"
_LATER = """
    ingested_at >= $6 AND kafka_offset >= ($7::bigint[])[kafka_partition + 1]
    AND kafka_offset < ($8::bigint[])[kafka_partition + 1]
"""
_AGENTS_PAST = cells_sql(AGENT_KEYS, f"{_SPAN} AND {_OF_AGENTS}")
_AGENTS_LATER = cells_sql(AGENT_KEYS, f"{_SPAN} AND {_OF_AGENTS} AND {_LATER}")
_VERSIONS_PAST = cells_sql(VERSION_KEYS, versions_of(f"{_SPAN} AND {_OF_ALL}"))
_VERSIONS_LATER = cells_sql(VERSION_KEYS, versions_of(f"{_SPAN} AND {_OF_ALL} AND {_LATER}"))


async def past(
    pool: Pool, topic: str, tenant_id: str, lens: Lens
) -> AsyncIterator[tuple[Position, list[Stored]]]:
    """All that is seen through a lens, a portion at a time, as of one instant."""
    statement = _VERSIONS_PAST if lens == VERSIONS else _AGENTS_PAST
    async with one_instant(pool) as connection:
        position = await _position(connection, topic)
        start = position.at - timedelta(seconds=lens.back_s)
        start = start.replace(minute=0, second=0, microsecond=0)
        while start < position.at + AHEAD:
            values = tenant_id, start, start + PORTION, topic, [lens.agent_id or ""]
            yield position, list(map(stored_of, await connection.fetch(statement, *values)))
            start += PORTION


async def later(
    pool: Pool, topic: str, tenant_id: str, since: Mapping[Lens, Position]
) -> tuple[Position, dict[Lens, list[Stored]]] | None:
    """What was stored since each lens was last looked through; `None`: the log began anew."""
    async with one_instant(pool) as connection:
        position = await _position(connection, topic)
        if not all(position.follows(one) for one in since.values()):
            return None
        found: dict[Lens, list[Stored]] = {}
        for one, lenses in _by_position(since):
            reader = _Later(connection, topic, tenant_id, one, position)
            names = sorted({lens.agent_id for lens in lenses if lens.agent_id is not None})
            agents = await reader.read(_AGENTS_LATER, names, lenses) if names else []
            for lens in lenses:
                found[lens] = [row for row in agents if row.name == lens.agent_id]
            if VERSIONS in lenses:
                found[VERSIONS] = await reader.read(_VERSIONS_LATER, [], lenses)
    return position, found


class _Later:
    """Reads what one tenant's operations have become between two positions."""

    def __init__(
        self, connection: Session, topic: str, tenant_id: str, since: Position, until: Position
    ) -> None:
        self._connection = connection
        self._topic = topic
        self._tenant_id = tenant_id
        self._since = since
        self._until = until

    async def read(
        self, statement: str, names: Sequence[str], lenses: Collection[Lens]
    ) -> list[Stored]:
        """What a statement finds of them."""
        at, places = self._until.at, range(max(self._until.ends, default=-1) + 1)
        back = timedelta(seconds=max(lens.back_s for lens in lenses)) + AHEAD
        starts, ends = (
            [one.ends.get(place, 0) for place in places] for one in (self._since, self._until)
        )
        values = (self._tenant_id, at - back, at + AHEAD, self._topic, names)
        rows = await self._connection.fetch(
            statement, *values, self._since.at - SLACK, starts, ends
        )
        return list(map(stored_of, rows))


async def _position(connection: Session, topic: str) -> Position:
    # Planned for every day's partition, it looks so dear that compiling it takes seconds.
    await connection.execute(NO_JIT)
    at: datetime = await connection.fetchval("SELECT now()")
    ends = {row[0]: row[1] for row in await connection.fetch(_ENDS, SOURCE_GROUP, topic)}
    return Position(ends, at)


def _by_position(since: Mapping[Lens, Position]) -> list[tuple[Position, list[Lens]]]:
    """Lenses that were last looked through together are so again; a new one catches up."""
    groups: list[tuple[Position, list[Lens]]] = []
    for lens, position in since.items():
        for known, lenses in groups:
            if known == position:
                lenses.append(lens)
                break
        else:
            groups.append((position, [lens]))
    return groups
