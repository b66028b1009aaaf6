"""Roles and what they may do."""

from typing import Final

READS: Final = frozenset(
    {
        "operations:read",
        "metrics:read",
        "alerts:read",
        "experiments:read",
        "feedback:read",
        "training:read",
        "keys:read",
    }
)
AGENT: Final = frozenset({"operations:write", "feedback:write", "experiments:assign"})
VIEWER: Final = READS - {"keys:read"}
ANALYST: Final = VIEWER | {
    "experiments:write",
    "experiments:assign",
    "training:export",
    "training:write",
    "reviews:write",
}
OPERATOR: Final = VIEWER | {"alerts:write", "system:read"}
ADMIN: Final = READS | AGENT | ANALYST | OPERATOR | {"keys:admin", "audit:read", "privacy:admin"}
ROLES: Final = {
    "agent": AGENT,
    "viewer": VIEWER,
    "analyst": ANALYST,
    "operator": OPERATOR,
    "admin": ADMIN,
}
