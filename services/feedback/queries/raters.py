"""SQL of raters: how reliable they are, and the sums that say so."""

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from services.feedback.domain.agreement import Stand, Sums, of_item
from services.feedback.queries.analysis import OperationKey
from shared.delivery.columns import columns_of
from shared.delivery.postgres import Session

ONE_NIGHT = "SELECT pg_try_advisory_xact_lock(hashtext('assay.feedback-raters'))"


class Moved(NamedTuple):
    """An operation whose raters say something else than the sums know."""

    operation_id: str
    told: list[Stand]
    now: list[Stand]


async def reliable(
    connection: Session, raters: Collection[tuple[str, str]]
) -> dict[str, dict[str, float]]:
    """Reliabilities of some raters, by tenant; those of no others are known."""
    rows = await connection.fetch(
        """
        SELECT r.tenant_id, r.rater, r.reliability
          FROM unnest($1::text[], $2::text[]) AS k (tenant_id, rater)
          JOIN rater_reliability AS r ON r.tenant_id = k.tenant_id AND r.rater = k.rater
        """,
        *columns_of(raters, 2),
    )
    found: dict[str, dict[str, float]] = {}
    for row in rows:
        found.setdefault(row[0], {})[row[1]] = row[2]
    return found


async def tenants(connection: Session) -> list[str]:
    """Tenants whose raters were ever compared, or can be now."""
    rows = await connection.fetch(
        """
        SELECT tenant_id FROM feedback_operations WHERE stands <> told_stands
        UNION SELECT tenant_id FROM rater_votes ORDER BY tenant_id
        """
    )
    return [row[0] for row in rows]


async def take_moved(connection: Session, tenant_id: str, most: int) -> list[Moved]:
    """A portion of what is new; from now on the sums count as knowing it."""
    rows = await connection.fetch(
        """
        WITH moved AS (
            SELECT operation_id, told_stands, stands FROM feedback_operations
             WHERE tenant_id = $1 AND stands <> told_stands
             ORDER BY operation_id LIMIT $2 FOR UPDATE
        ), told AS (
            UPDATE feedback_operations AS f SET told_stands = m.stands FROM moved AS m
             WHERE f.tenant_id = $1 AND f.operation_id = m.operation_id
        )
        SELECT operation_id, told_stands, stands FROM moved
        """,
        tenant_id,
        most,
    )
    return [Moved(row[0], stands_of(row[1]), stands_of(row[2])) for row in rows]


async def add(connection: Session, tenant_id: str, moved: Collection[Moved]) -> None:
    """Let a tenant's sums know what raters say now; what comes to nothing is removed."""
    if not moved:
        return
    sums = Sums()
    for one in moved:
        sums.add(of_item(one.operation_id, one.told), -1)
        sums.add(of_item(one.operation_id, one.now))
    votes = sorted(sums.said.items())
    await connection.execute(
        """
        INSERT INTO rater_votes AS v (tenant_id, points, votes)
        SELECT $1, * FROM unnest($2::smallint[], $3::bigint[])
        ON CONFLICT (tenant_id, points) DO UPDATE SET votes = v.votes + EXCLUDED.votes
        """,
        tenant_id,
        *columns_of(votes, 2),
    )
    pairs = sorted(sums.shared.keys() | sums.agreed.keys())
    rows = [(*pair, sums.shared[pair], sums.agreed[pair]) for pair in pairs]
    await connection.execute(
        """
        INSERT INTO rater_pairs AS p (tenant_id, one, other, shared, agreed)
        SELECT $1, * FROM unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[])
        ON CONFLICT (tenant_id, one, other) DO UPDATE
           SET shared = p.shared + EXCLUDED.shared, agreed = p.agreed + EXCLUDED.agreed
        """,
        tenant_id,
        *columns_of(rows, 4),
    )
    await connection.execute(
        "DELETE FROM rater_votes WHERE tenant_id = $1 AND votes = 0", tenant_id
    )
    await connection.execute(
        "DELETE FROM rater_pairs WHERE tenant_id = $1 AND shared = 0", tenant_id
    )


async def sums_of(connection: Session, tenant_id: str) -> Sums:
    """A tenant's sums."""
    sums = Sums()
    for row in await connection.fetch(
        "SELECT points, votes FROM rater_votes WHERE tenant_id = $1", tenant_id
    ):
        sums.said[row[0]] = row[1]
    for row in await connection.fetch(
        "SELECT one, other, shared, agreed FROM rater_pairs WHERE tenant_id = $1", tenant_id
    ):
        sums.shared[row[0], row[1]] = row[2]
        if row[3]:
            sums.agreed[row[0], row[1]] = row[3]
    return sums


async def known(connection: Session, tenant_id: str) -> dict[str, float]:
    """What a tenant's rows are weighed with."""
    rows = await connection.fetch(
        "SELECT rater, reliability FROM rater_reliability WHERE tenant_id = $1", tenant_id
    )
    return {row[0]: row[1] for row in rows}


async def keep(
    connection: Session, tenant_id: str, reliable: Mapping[str, float], at: datetime
) -> None:
    """Let rows be weighed with these from now on."""
    await connection.execute(
        """
        INSERT INTO rater_reliability (tenant_id, rater, reliability, reckoned_at)
        SELECT $1, *, $4 FROM unnest($2::text[], $3::float8[])
        ON CONFLICT (tenant_id, rater) DO UPDATE
           SET reliability = EXCLUDED.reliability, reckoned_at = EXCLUDED.reckoned_at
        """,
        tenant_id,
        [*reliable],
        [*reliable.values()],
        at,
    )


async def operations_of(
    connection: Session, tenant_id: str, raters: Collection[str]
) -> list[OperationKey]:
    """Operations that some raters spoke of."""
    names = [name for one in raters if (name := one.removeprefix("user:")) != one]
    rows = await connection.fetch(
        """
        SELECT DISTINCT tenant_id, operation_id FROM feedback_analysis
         WHERE tenant_id = $1 AND user_pseudonym = ANY($2)
        """,
        tenant_id,
        names,
    )
    return [(row[0], row[1]) for row in rows]


def stands_of(stored: Any) -> list[Stand]:
    """What raters say, as it is stored."""
    told: Iterable[Any] = json.loads(stored)
    return [Stand(rater, value) for rater, value in told]
