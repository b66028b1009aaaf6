"""Who may do what in Redis: one user for each program, as the lines of an ACL file.

Scripts are needed (the fence is one), but come only as EVALSHA of what was loaded; what they touch
is bound by the same keys. Nobody of these may configure the server, list its keys or empty it.
"""

from collections.abc import Mapping
from hashlib import sha256

from deploy.names import SERVICES

WORK = (
    "+@read +@write +@connection +@transaction +time +evalsha +script|load"
    # Of a cluster: who has which keys.
    " +cluster|slots +cluster|shards +cluster|nodes +cluster|myid +command"
    " -@dangerous -@admin"
)
REPORT = "~reports +hset +@connection +cluster|slots +cluster|shards +command -@dangerous -@admin"
RIGHTS = {
    # Metrics has a server that was started write its file anew: see its store/upkeep.py.
    "metrics": f"~{{*}}:* ~view:* ~models:* ~views:looked ~alert-rules ~health-limits ~tenants"
    f" ~reports {WORK} +info +bgrewriteaof",
    "gateway": f"%R~view:* %R~models:* %R~views:looked ~quota:* ~idempotency:* ~ended-session:*"
    f" ~reports {WORK}",
    **dict.fromkeys(("ingest", "notify", "abtest", "feedback"), REPORT),
    # `assay rebuild`, `assay reconcile`, `assay fences`: a person's, not a service's.
    "operator": f"~* {WORK} +scan +info",
}
USERS = (*SERVICES, "operator")
# Who has no name may ask whether anybody is there; health checks do.
NOBODY = "user default on nopass sanitize-payload resetkeys resetchannels -@all +ping"


def acl_file(passwords: Mapping[str, str]) -> str:
    """The file that `aclfile` names; it holds digests, so it tells no password."""
    lines = [NOBODY]
    for user in USERS:
        digest = sha256(passwords[user].encode()).hexdigest()
        lines.append(f"user {user} on #{digest} resetkeys resetchannels -@all {RIGHTS[user]}")
    return "\n".join(lines) + "\n"
