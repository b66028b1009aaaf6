"""SQL that follows ingest: operations it has stored since, of which somebody had spoken.

ingest moves its fence in the transaction that stores the rows. So the rows below its fence are all
there, in one snapshot, and none is asked for twice: our own fence on the topic of operations says
how far we have followed.
"""

from typing import Any

from services.feedback.queries.analysis import OperationKey
from shared.delivery.postgres import Session

# Before the group has read anything, all that was stored counts as seen: whoever speaks later finds
# it. Afterwards a partition in which we have no fence yet is followed from its beginning.
BEGIN = """
    INSERT INTO consumer_fence (consumer_group, topic, partition, epoch, next_offset)
    SELECT $1, topic, partition, 1, next_offset FROM consumer_fence
     WHERE consumer_group = 'ingest' AND topic = $2
       AND NOT EXISTS (SELECT FROM consumer_fence WHERE consumer_group = $1)
    ON CONFLICT (consumer_group, topic, partition) DO NOTHING
"""
BEHIND = """
    SELECT i.partition, coalesce(f.next_offset, 0) AS since, i.next_offset AS until
      FROM consumer_fence AS i
      LEFT JOIN consumer_fence AS f ON f.consumer_group = $1 AND f.topic = i.topic
                                   AND f.partition = i.partition
     WHERE i.consumer_group = 'ingest' AND i.topic = $2
       AND i.next_offset IS DISTINCT FROM coalesce(f.next_offset, 0)
     ORDER BY i.partition
"""
MOVE = """
    INSERT INTO consumer_fence AS f (consumer_group, topic, partition, epoch, next_offset, accepted)
    VALUES ($1, $2, $3, 1, $5, $6)
    ON CONFLICT (consumer_group, topic, partition) DO UPDATE
       SET next_offset = EXCLUDED.next_offset, accepted = f.accepted + EXCLUDED.accepted,
           updated_at = now()
     WHERE f.next_offset = $4
"""
# Looked up one by one: those of whom somebody has spoken are few, and indexed.
SPOKEN_OF = """
    SELECT DISTINCT o.tenant_id, o.operation_id FROM ai_model_operations AS o
     WHERE o.kafka_topic = $1 AND o.kafka_partition = $2
       AND o.kafka_offset >= $3 AND o.kafka_offset < $4
       AND EXISTS (SELECT FROM feedback_analysis AS a
                    WHERE a.tenant_id = o.tenant_id AND a.operation_id = o.operation_id)
"""


async def begin(connection: Session, group: str, topic: str) -> None:
    """Follow from here on, if the group has read nothing yet."""
    await connection.execute(BEGIN, group, topic)


async def behind(connection: Session, group: str, topic: str) -> list[Any]:
    """Partitions in which ingest is ahead of us: `partition`, `since`, `until`."""
    rows: list[Any] = await connection.fetch(BEHIND, group, topic)
    return rows


async def spoken_of(
    connection: Session, topic: str, partition: int, since: int, until: int
) -> list[OperationKey]:
    """Operations stored from offset `since` to before `until` that somebody has spoken of."""
    rows = await connection.fetch(SPOKEN_OF, topic, partition, since, until)
    return [(row[0], row[1]) for row in rows]


async def move(
    connection: Session, group: str, topic: str, partition: int, span: tuple[int, int], found: int
) -> None:
    """Move our fence over a span, unless somebody else has."""
    await connection.execute(MOVE, group, topic, partition, *span, found)
