"""SQL of what feedback says in sum: votes that count, summed by person, then over persons."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from asyncpg import Record

from services.gateway.domain.analysis.asked import Asked
from services.gateway.domain.analysis.sums import ASPECTS, CONFLICT, LABELS, RATING
from shared.delivery.postgres import Session
from shared.measures.stored import NO_JIT

# A group is called by several names where one alone would say too little.
KEYS: Final = {
    "all": "'{}'::text[]",
    "model": "ARRAY[o.model_id]",
    "agent": "ARRAY[o.agent_id]",
    "version": "ARRAY[o.model_id, o.model_version]",
    "source": "ARRAY[a.source]",
    "aspect": "ARRAY[aspect.name]",
    "day": "ARRAY[to_char(a.occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')]",
    "type": "ARRAY[o.operation_type, o.model_id]",
    "prompt": "ARRAY[o.model_id, made.prompt_version]",
    "week": "ARRAY[CASE WHEN a.occurred_at < $9 THEN 'before' ELSE 'after' END]",
}
_ASPECT = ", ".join(f"('{name}', a.{name})" for name in ASPECTS)
_JOINS: Final = {
    "aspect": f"JOIN LATERAL (VALUES {_ASPECT}) AS aspect (name, said) ON aspect.said IS NOT NULL",
    "prompt": """
        JOIN model_training_data AS made
          ON made.tenant_id = a.tenant_id AND made.operation_id = a.operation_id
         AND made.kind = 'answer' AND made.state = 'ready' AND made.prompt_version IS NOT NULL
    """,
}
_FILTERS = """
    a.tenant_id = $1 AND NOT a.is_superseded AND NOT a.is_own_judge
    AND a.occurred_at >= $2 AND a.occurred_at < $3
    AND ($4::text IS NULL OR o.model_id = $4) AND ($5::text IS NULL OR o.agent_id = $5)
    AND ($6::text IS NULL OR o.environment = $6) AND ($7::text IS NULL OR o.operation_type = $7)
    AND ($8::text IS NULL OR a.source = $8)
"""
_VOTES = """
    FROM feedback_analysis AS a
    LEFT JOIN feedback_operations AS o
      ON o.tenant_id = a.tenant_id AND o.operation_id = a.operation_id AND o.found_at IS NOT NULL
"""
_COMMENTS = """
    JOIN user_feedback AS f
      ON f.tenant_id = a.tenant_id AND f.event_id = a.event_id AND f.occurred_at = a.occurred_at
     AND f.occurred_at >= $2 AND f.occurred_at < $3 AND f.comment <> ''
"""
# By metric: what is added up of the votes of a person, and how many of them there are.
_SAID = {
    RATING: ("sum(rating)", "count(rating)"),
    **{one: (f"count(*) FILTER (WHERE {one})", f"count({one})") for one in ASPECTS},
    **{
        one: (f"count(*) FILTER (WHERE coalesce(label, 'abstained') = '{one}')", "count(*)")
        for one in LABELS
    },
    CONFLICT: ("count(*) FILTER (WHERE conflict <> '{}')", "count(*)"),
}
_PERSON = ", ".join(
    f"coalesce({m}, 0)::bigint AS {name}_m, {d} AS {name}_d" for name, (m, d) in _SAID.items()
)
_PERSONS = ", ".join(
    f"ARRAY[count(*) FILTER (WHERE {name}_d > 0), sum({name}_m), sum({name}_m * {name}_m),"
    f" sum({name}_d), sum({name}_d * {name}_d), sum({name}_m * {name}_d),"
    f" {'sum(rating_q)' if name == RATING else f'sum({name}_m)'}]::bigint[] AS {name}"
    for name in _SAID
)
_TOLD = ", ".join(f"sum(told_{one})::bigint AS told_{one}" for one in ASPECTS)
_TOLD_OF = ", ".join(
    f"count(*) FILTER (WHERE '{one}' = ANY(from_comment)) AS told_{one}" for one in ASPECTS
)


def _groups(by: str, *, with_comments: bool) -> str:
    # They lie elsewhere, and take half the time.
    has, joined = (
        ("f.event_id IS NOT NULL", f"LEFT {_COMMENTS}") if with_comments else ("false", "")
    )
    return f"""
        WITH said AS (
            SELECT {KEYS[by]} AS key, coalesce(a.user_pseudonym, a.event_id::text) AS person, a.*,
                   {has} AS has_comment,
                   coalesce(o.occurred_at, a.occurred_at) AS first_at
            {_VOTES} {joined} {_JOINS.get(by, "")} WHERE {_FILTERS}
        ), persons AS (
            SELECT key, person, count(*) AS n, bool_or(user_pseudonym IS NOT NULL) AS is_known,
                   count(*) FILTER (WHERE has_comment) AS comments, min(first_at) AS first_at,
                   coalesce(sum(rating * rating), 0) AS rating_q, {_PERSON}, {_TOLD_OF}
              FROM said GROUP BY 1, 2
        )
        SELECT key, sum(n)::bigint AS count, sum(comments)::bigint AS comments,
               count(*) FILTER (WHERE is_known) AS voters, min(first_at) AS first_at,
               count(*) OVER () AS groups, {_PERSONS}, {_TOLD}
          FROM persons GROUP BY key ORDER BY count DESC, key LIMIT 500
    """


def _quality(by: str) -> str:
    return f"""
        WITH said AS (
            SELECT DISTINCT {KEYS[by]} AS key, a.operation_id
            {_VOTES} {_JOINS.get(by, "")} WHERE {_FILTERS}
        )
        SELECT key, count(*) AS count, sum(quality) AS total, sum(quality * quality) AS squares
          FROM said JOIN model_training_data AS made
            ON made.tenant_id = $1 AND made.operation_id = said.operation_id
           AND made.kind = 'answer' AND made.state = 'ready'
         WHERE NOT EXISTS (SELECT FROM training_blocks AS block
                            WHERE block.tenant_id = $1 AND block.row_id = made.row_id)
         GROUP BY key
    """


_COMPLAINTS = f"""
    SELECT o.model_id, coalesce(a.user_pseudonym, a.event_id::text) AS person, a.event_id,
           a.operation_id, a.occurred_at, left(f.comment, 1000) AS comment
    {_VOTES} {_COMMENTS} WHERE {_FILTERS} AND a.label = 'negative' AND o.model_id IS NOT NULL
     ORDER BY a.occurred_at DESC, a.event_id DESC LIMIT $9
"""
_WAITING = """
    SELECT count(*) AS operations, min(o.first_at) AS oldest_at,
           count(*) FILTER (WHERE o.first_at < $2) AS late,
           coalesce(sum(votes.count), 0)::bigint AS feedback
      FROM feedback_operations AS o
     CROSS JOIN LATERAL (SELECT count(*) FROM feedback_analysis AS a
                          WHERE a.tenant_id = o.tenant_id AND a.operation_id = o.operation_id
                            AND NOT a.is_superseded) AS votes
     WHERE o.tenant_id = $1 AND o.found_at IS NULL
"""
_TRAFFIC = """
    SELECT model_id, operation_type, sum(n)::bigint AS operations FROM operation_rollup_minute
     WHERE tenant_id = $1 AND minute >= $2 AND minute < $3
       AND ($4::text IS NULL OR environment = $4)
     GROUP BY 1, 2
"""


async def groups(
    connection: Session,
    by: str,
    tenant_id: str,
    asked: Asked,
    border: datetime | None = None,
    *,
    with_comments: bool = False,
) -> Sequence[Record]:
    """Sums of votes by `KEYS`, the largest groups first; `border` parts weeks."""
    await connection.execute(NO_JIT)
    values = (tenant_id, *asked, *(() if border is None else (border,)))
    return await connection.fetch(_groups(by, with_comments=with_comments), *values)


async def quality(connection: Session, by: str, tenant_id: str, asked: Asked) -> Sequence[Record]:
    """Sums of the quality of those operations' training rows, by group."""
    return await connection.fetch(_quality(by), tenant_id, *asked)


async def complaints(
    connection: Session, tenant_id: str, asked: Asked, most: int
) -> Sequence[Record]:
    """Negative votes with a comment, newest first."""
    return await connection.fetch(_COMPLAINTS, tenant_id, *asked, most)


async def waiting(connection: Session, tenant_id: str, late: datetime) -> Record:
    """Operations that somebody spoke of and nobody sent; `late` is when they should have come."""
    row = await connection.fetchrow(_WAITING, tenant_id, late)
    assert row is not None  # noqa: S101 - sums are always one row
    return row


async def traffic(connection: Session, tenant_id: str, asked: Asked) -> Sequence[Record]:
    """Operations by model and type."""
    span = asked.start, asked.end
    return await connection.fetch(_TRAFFIC, tenant_id, *span, asked.environment)


async def keeps_content(connection: Session, tenant_id: str) -> bool:
    """Whether texts of the tenant are stored."""
    return not await connection.fetchval(
        "SELECT content_free FROM tenants WHERE tenant_id = $1", tenant_id
    )
