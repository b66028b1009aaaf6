"""Which rights of `deploy/schema.sql` a database's services do not have any more."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import asyncpg

from deploy.jobs.roles import ROLE_OF

SCHEMA = Path(__file__).parents[2] / "schema.sql"
GRANT = re.compile(r"^GRANT (.+) ON (TABLE|FUNCTION|SCHEMA) (.+) TO (\w+);$", re.MULTILINE)
PRIVILEGE = re.compile(r'([A-Z]+)(?:\(("?\w+"?)\))?')
ARGUMENT = re.compile(r"\w+ (.+)")
ALL_OF = {"FUNCTION": ["EXECUTE"], "SCHEMA": ["USAGE"]}
# An object or role that is not there has no rights: other checks say that it is missing.
MISSING = """
    SELECT place FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
           WITH ORDINALITY AS wanted (kind, object, role_name, privilege, column_name, place)
      JOIN pg_roles ON rolname = role_name
     WHERE NOT CASE
               WHEN kind = 'FUNCTION'
               THEN has_function_privilege(rolname, to_regprocedure(object), privilege)
               WHEN kind = 'SCHEMA' THEN has_schema_privilege(rolname, object, privilege)
               WHEN column_name <> ''
               THEN has_column_privilege(rolname, to_regclass(object), column_name, privilege)
               ELSE has_table_privilege(rolname, to_regclass(object), privilege)
           END
     ORDER BY place
"""


class Grant(NamedTuple):
    """One right that migrations give."""

    kind: str
    object: str
    role: str
    privilege: str
    column: str = ""

    def __str__(self) -> str:
        what = f"{self.privilege} ({self.column})" if self.column else self.privilege
        return f"{what} ON {self.kind} {self.object} TO {self.role}"


def granted(schema: str) -> Iterator[Grant]:
    """Every right that a service's role has by a dump of the schema."""
    for privileges, kind, named, role in GRANT.findall(schema):
        if role not in ROLE_OF.values():
            continue
        name = _signature(named) if kind == "FUNCTION" else named
        if privileges == "ALL":
            yield from (Grant(kind, name, role, one) for one in ALL_OF[kind])
            continue
        for privilege, column in PRIVILEGE.findall(privileges):
            yield Grant(kind, name, role, privilege, column)


async def lacking_rights(connection: asyncpg.Connection) -> tuple[str, ...]:
    """What was granted and is not any more, as the words of GRANT."""
    wanted = list(granted(SCHEMA.read_text()))
    columns = [[one[place].strip('"') for one in wanted] for place in range(len(Grant._fields))]
    rows = await connection.fetch(MISSING, *columns)
    return tuple(str(wanted[row[0] - 1]) for row in rows)


def _signature(named: str) -> str:
    """A function's name and types, without the names of its arguments."""
    name, _, rest = named.partition("(")
    arguments = [one.strip() for one in rest.removesuffix(")").split(",") if one.strip()]
    types = [match[1] for one in arguments if (match := ARGUMENT.fullmatch(one))]
    return f"{name}({', '.join(types)})"
