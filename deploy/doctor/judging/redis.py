"""Redis or Valkey: that it is new enough, keeps what it was given, and takes our scripts."""

from collections.abc import Sequence

from deploy.doctor.facts import RedisFacts, Unseen
from deploy.doctor.finding import Finding, fail, ok, warn, worst
from deploy.doctor.judging.clocks import judge_clock
from deploy.doctor.judging.servers import judge_unseen

NAME = "redis"
VERSION, MEMORY, PERSISTENCE, WRITES, CLOCK = (
    "redis version",
    "redis memory",
    "redis persistence",
    "redis writes",
    "redis clock",
)
OTHERS = (VERSION, MEMORY, PERSISTENCE, WRITES, CLOCK)
SETTING = "ASSAY_REDIS_URL"
OLDEST = (6, 2)
ALMOST = 0.85


def judge_redis(servers: Sequence[RedisFacts] | Unseen) -> list[Finding]:
    """Of a cluster each check says the worst that any of its servers is."""
    if isinstance(servers, Unseen):
        return judge_unseen(NAME, SETTING, servers, OTHERS)
    checks = (_version, _memory, _persistence, _writes, _clock)
    found = [_worst_of([check(one) for one in servers], servers) for check in checks]
    return [ok(NAME, f"{len(servers)} answer" if len(servers) > 1 else "lets us in"), *found]


def _worst_of(findings: Sequence[Finding], servers: Sequence[RedisFacts]) -> Finding:
    level = worst(findings)
    at, finding = next((at, one) for at, one in enumerate(findings) if one.level == level)
    where = f"{servers[at].where}: " if len(servers) > 1 else ""
    return Finding(finding.name, finding.level, where + finding.seen, finding.then)


def _version(facts: RedisFacts) -> Finding:
    valkey = facts.info.get("valkey_version")
    said = facts.info.get("redis_version", "")
    named = f"Valkey {valkey}" if valkey else f"Redis {said}"
    parts = [int(part) for part in said.split(".")[:2] if part.isdecimal()]
    if tuple(parts) < OLDEST:
        return fail(VERSION, f"{named} is too old", "use Redis 6.2 or newer, or Valkey")
    return ok(VERSION, named)


def _memory(facts: RedisFacts) -> Finding:
    policy = facts.info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        then = "`CONFIG SET maxmemory-policy noeviction`, and the same in its configuration"
        return fail(MEMORY, f"maxmemory-policy is {policy}: counts would be thrown away", then)
    used, most = int(facts.info.get("used_memory", 0)), int(facts.info.get("maxmemory", 0))
    seen = f"noeviction, {used / 1024**2:.0f} MiB used"
    if not most:
        return ok(MEMORY, f"{seen}, no limit")
    seen += f" of {most / 1024**2:.0f}"
    if used >= most * ALMOST:
        return warn(MEMORY, seen, "raise maxmemory: at the limit it takes no event more")
    return ok(MEMORY, seen)


def _persistence(facts: RedisFacts) -> Finding:
    if facts.info.get("aof_enabled", "0") != "1":
        then = "`CONFIG SET appendonly yes`, and the same in its configuration"
        what = "it keeps no append-only file: after its restart live metrics are built anew"
        return warn(PERSISTENCE, what, then)
    if facts.info.get("aof_last_write_status", "ok") != "ok":
        then = "make room on its disk: until then it takes no writes"
        return fail(PERSISTENCE, "its last write to the append-only file failed", then)
    return ok(PERSISTENCE, "append-only file")


def _writes(facts: RedisFacts) -> Finding:
    if facts.info.get("role", "master") != "master":
        then = "name the primary in ASSAY_REDIS_URL"
        return fail(WRITES, "it is a replica, and takes no writes", then)
    if facts.refused:
        then = "let the user of ASSAY_REDIS_URL run scripts (EVALSHA, SCRIPT LOAD) on our keys"
        return fail(WRITES, f"a script that writes was refused: {facts.refused}", then)
    return ok(WRITES, "a script wrote, and took it back")


def _clock(facts: RedisFacts) -> Finding:
    return judge_clock(NAME, facts.clock)
