"""Postgres and Redis with one thing wrong at a time: its check says so, and no other does."""

from dataclasses import replace
from typing import Any

import pytest

from deploy.doctor.facts import (
    ClockFacts,
    DiskFacts,
    PostgresFacts,
    RedisFacts,
    RoleFacts,
    SchemaFacts,
)
from deploy.doctor.finding import Level
from deploy.doctor.judging.host import GIB
from deploy.doctor.judging.postgres import judge_postgres
from deploy.doctor.judging.redis import judge_redis
from tests.unit.doctor.healthy import ROLES, only, postgres, redis

F, W, U = Level.FAIL, Level.WARN, Level.UNSEEN
KNOWN = ("0001", "0002", "0003")
LOCKED = dict.fromkeys(ROLES, RoleFacts(can_login=False))
ESCAPING = dict.fromkeys(ROLES, RoleFacts(escapes_row_security=True))
LACKED = "SELECT ON TABLE a TO b"
MIGRATIONS = "migrations"


@pytest.mark.parametrize(
    ("changes", "level", "name", "words"),
    [
        ({"version_number": 140011}, F, "postgres version", ("Postgres 15 or newer",)),
        ({"read_only": True}, F, "postgres", ("standby", "primary")),
        (
            {"schema": SchemaFacts("0001", KNOWN)},
            F,
            "migrations",
            ("2 missing", "assay migrate"),
        ),
        (
            {"schema": SchemaFacts("0009", KNOWN)},
            F,
            "migrations",
            ("none after 0003", "run that version"),
        ),
        (
            {"schema": SchemaFacts(None, KNOWN)},
            F,
            "migrations",
            ("holds no schema", "assay migrate"),
        ),
        ({"schema": SchemaFacts(None, KNOWN, readable=False)}, U, "migrations", ()),
        ({"roles": {"svc_api": RoleFacts()}}, F, "roles", ("missing: svc_ingest",)),
        (
            {"roles": LOCKED},
            W,
            "roles",
            ("ALTER ROLE svc_api LOGIN",),
        ),
        (
            {"roles": ESCAPING},
            F,
            "roles",
            ("NOBYPASSRLS",),
        ),
        (
            {"lacking": ("SELECT ON TABLE a TO b",)},
            F,
            "postgres rights",
            ("`GRANT SELECT ON TABLE a TO b`",),
        ),
        ({"newest_partitions": {}}, F, "day partitions", ()),
        (
            {"settings": {"fsync": "off", "max_connections": "100"}},
            F,
            "postgres safety",
            ("fsync = on",),
        ),
        ({"connections": 90}, W, "postgres connections", ("90 of 100",)),
        ({"clock": ClockFacts(-31.0, 0.1)}, F, "postgres clock", ("31.0 s behind", "NTP")),
    ],
)
def test_a_postgres_with_one_fault(
    changes: dict[str, Any], level: Level, name: str, words: tuple[str, ...]
) -> None:
    here: dict[str, Any] = {"disk": DiskFacts("/data", 9 * GIB, 10 * GIB)}
    facts: PostgresFacts = postgres(**{**here, **changes})
    only(judge_postgres(facts, ROLES), level, name, *words)


@pytest.mark.parametrize(
    ("info", "level", "name", "words"),
    [
        ({"redis_version": "6.0.20"}, F, "redis version", ("6.2 or newer",)),
        ({"redis_version": "5.0.14"}, F, "redis version", ("5.0.14",)),
        ({"redis_version": ""}, F, "redis version", ()),
        ({"maxmemory_policy": "allkeys-lru"}, F, "redis memory", ("maxmemory-policy noeviction",)),
        ({"maxmemory": "100", "used_memory": "90"}, W, "redis memory", ("raise maxmemory",)),
        ({"aof_enabled": "0"}, W, "redis persistence", ("appendonly yes",)),
        ({"aof_last_write_status": "err"}, F, "redis persistence", ("room on its disk",)),
        ({"role": "slave"}, F, "redis writes", ("primary",)),
    ],
)
def test_a_redis_with_one_fault(
    info: dict[str, str], level: Level, name: str, words: tuple[str, ...]
) -> None:
    only(judge_redis([redis(**info)]), level, name, *words)
    # Of a cluster the one that is not well is named.
    bad: RedisFacts = replace(redis(**info), where="cache-2:6379")
    only(judge_redis([redis(), bad]), level, name, "cache-2:6379: ", *words)


@pytest.mark.parametrize("version", ["6.2.0", "7.0.15", "8.0", "10.1.0"])
def test_a_redis_that_is_new_enough(version: str) -> None:
    assert {one.level for one in judge_redis([redis(redis_version=version)])} == {Level.OK}


def test_scripts_that_are_refused_are_told() -> None:
    facts = replace(redis(), refused="NOPERM this user has no permissions")
    only(judge_redis([facts]), F, "redis writes", "NOPERM", "SCRIPT LOAD")
