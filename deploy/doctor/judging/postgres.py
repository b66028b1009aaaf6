"""Postgres: the server, the schema, its roles and their rights."""

from collections.abc import Iterable

from deploy.doctor.facts import PostgresFacts, SchemaFacts, Unseen
from deploy.doctor.finding import Finding, fail, listed, ok, unseen, warn
from deploy.doctor.judging.clocks import judge_clock
from deploy.doctor.judging.host import judge_disk
from deploy.doctor.judging.servers import judge_unseen

NAME = "postgres"
VERSION, MIGRATIONS, ROLES, RIGHTS, PARTITIONS, SAFETY, CONNECTIONS, CLOCK, DISK = (
    "postgres version",
    "migrations",
    "roles",
    "postgres rights",
    "day partitions",
    "postgres safety",
    "postgres connections",
    "postgres clock",
    "postgres disk",
)
OTHERS = (VERSION, MIGRATIONS, ROLES, RIGHTS, PARTITIONS, SAFETY, CONNECTIONS, CLOCK, DISK)
SETTING = "ASSAY_POSTGRES_DSN"
OLDEST = 150000
MIGRATE = "run `assay migrate`"
ROOM = "make room on that disk now: a Postgres that cannot write its log stops"
ALMOST = 0.9


def judge_postgres(facts: PostgresFacts | Unseen, roles: Iterable[str]) -> list[Finding]:
    """All of Postgres; `roles` are those of the services."""
    if isinstance(facts, Unseen):
        return judge_unseen(NAME, SETTING, facts, OTHERS)
    disk = (
        unseen([DISK], "it is on another machine, or its owner's alone to see")[0]
        if facts.disk is None
        else judge_disk(DISK, facts.disk, ROOM)
    )
    return [
        _server(facts),
        _version(facts),
        judge_schema(facts.schema, facts.user),
        _roles(facts, list(roles)),
        _rights(facts),
        _partitions(facts),
        _safety(facts),
        _connections(facts),
        judge_clock(NAME, facts.clock),
        disk,
    ]


def judge_schema(schema: SchemaFacts, user: str) -> Finding:
    """Whether all migrations ran, and no later ones."""
    head = schema.known[-1]
    if not schema.readable:
        return unseen([MIGRATIONS], f"{user} may not read alembic_version; ask as the owner")[0]
    if schema.found is None:
        return fail(MIGRATIONS, "missing: the database holds no schema", MIGRATE)
    if schema.found not in schema.known:
        then = (
            "run that version, or name another database (ASSAY_POSTGRES_DSN); this version would "
            "not know what it reads"
        )
        what = f"newer schema: at {schema.found}, and this version knows none after {head}"
        return fail(MIGRATIONS, what, then)
    if schema.found != head:
        behind = len(schema.known) - 1 - schema.known.index(schema.found)
        return fail(MIGRATIONS, f"{behind} missing: at {schema.found}, newest is {head}", MIGRATE)
    return ok(MIGRATIONS, f"at {head}, the newest")


def _server(facts: PostgresFacts) -> Finding:
    if facts.read_only:
        then = "name the primary in ASSAY_POSTGRES_DSN, or wait until this one is it"
        return fail(NAME, "it answers and takes no writes: a standby, or read-only", then)
    return ok(NAME, f"lets {facts.user} in")


def _version(facts: PostgresFacts) -> Finding:
    if facts.version_number < OLDEST:
        what = f"{facts.version} is too old"
        return fail(VERSION, what, f"use Postgres {OLDEST // 10_000} or newer")
    return ok(VERSION, facts.version)


def _roles(facts: PostgresFacts, names: list[str]) -> Finding:
    absent = [name for name in names if name not in facts.roles]
    if absent:
        return fail(ROLES, f"missing: {listed(absent)}", MIGRATE)
    escaping = [name for name in names if facts.roles[name].escapes_row_security]
    if escaping:
        then = f"`ALTER ROLE {escaping[0]} NOSUPERUSER NOBYPASSRLS`; services refuse to start so"
        return fail(ROLES, f"row level security does not bind {listed(escaping)}", then)
    locked = [name for name in names if not facts.roles[name].can_login]
    if locked:
        then = (
            f"run `assay roles login FOLDER`, or `ALTER ROLE {locked[0]} LOGIN PASSWORD '…'` "
            "with that DSN for its service; `assay up` does it by itself"
        )
        return warn(ROLES, f"may not log in: {listed(locked)}", then)
    return ok(ROLES, f"{len(names)} services' roles may log in")


def _rights(facts: PostgresFacts) -> Finding:
    if facts.lacking is None:
        return unseen([RIGHTS], f"see {MIGRATIONS}")[0]
    if facts.lacking:
        statement = f"as the owner: `GRANT {facts.lacking[0]}`; deploy/schema.sql has them all"
        return fail(RIGHTS, f"no permission: {listed(facts.lacking)}", statement)
    return ok(RIGHTS, "services may do what they do")


def _partitions(facts: PostgresFacts) -> Finding:
    if facts.lacking is None:
        return unseen([PARTITIONS], f"see {MIGRATIONS}")[0]
    if not facts.newest_partitions:
        then = "name the database that `assay migrate` made in ASSAY_POSTGRES_DSN"
        return fail(PARTITIONS, "tables of events are not partitioned by day", then)
    newest = [
        f"{table} to {day}" if day else f"{table} has none yet"
        for table, day in sorted(facts.newest_partitions.items())
    ]
    return ok(PARTITIONS, f"{', '.join(newest)}; ingest makes each day's with its first event")


def _safety(facts: PostgresFacts) -> Finding:
    off = [name for name in ("fsync", "full_page_writes") if facts.settings.get(name) == "off"]
    if off:
        then = f"`ALTER SYSTEM SET {off[0]} = on` and reload: what is acknowledged must be kept"
        return fail(SAFETY, f"off: {', '.join(off)}; a crash of the machine corrupts it", then)
    return ok(SAFETY, "fsync and full_page_writes are on")


def _connections(facts: PostgresFacts) -> Finding:
    most = int(facts.settings.get("max_connections", "0"))
    seen = f"{facts.connections} of {most} are taken"
    if most and facts.connections >= most * ALMOST:
        then = "raise max_connections, or end who holds them (`SELECT * FROM pg_stat_activity`)"
        return warn(CONNECTIONS, seen, then)
    return ok(CONNECTIONS, seen)
