"""Whom the claims of a verified token name: tenant and roles, as settings map them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from services.gateway.domain.api_keys import Principal
from services.gateway.domain.permissions import ROLES

MOST_SUBJECT = 128
TENANT = re.compile("[a-z0-9_-]{1,64}")


class TokenError(Exception):
    """A token proves nobody; the message may be told to whoever sent it."""


class RefusedCodeError(Exception):
    """The provider does not take the code of a login."""


@dataclass(frozen=True, slots=True)
class ClaimMap:
    """Which claims say what."""

    tenant_claim: str = "tenant"
    tenants: Mapping[str, str] = field(default_factory=dict)
    """The provider's name of a tenant to ours; empty = they are the same."""
    tenant: str | None = None
    """All tokens are of this one, whatever they claim."""
    roles_claim: str = "roles"
    roles: Mapping[str, str] = field(default_factory=dict)
    """The provider's role to ours; empty = they are the same."""


def principal_of(claims: Mapping[str, Any], named: ClaimMap) -> Principal:
    """Who sent a token whose signature, issuer, audience and times are right."""
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= MOST_SUBJECT:
        raise TokenError("its subject is missing or too long")
    if not subject.isprintable():
        raise TokenError("its subject cannot be shown")
    tenant = named.tenant or _tenant(claims, named)
    return Principal(tenant, "", _permissions(claims, named), subject)


def _tenant(claims: Mapping[str, Any], named: ClaimMap) -> str:
    claimed = _claim(claims, named.tenant_claim)
    if not isinstance(claimed, str) or not claimed:
        raise TokenError(f"its claim {named.tenant_claim} names no tenant")
    tenant = named.tenants.get(claimed) if named.tenants else claimed
    if tenant is None or not TENANT.fullmatch(tenant):
        raise TokenError("it names a tenant that is not known here")
    return tenant


def _permissions(claims: Mapping[str, Any], named: ClaimMap) -> frozenset[str]:
    """Of all its roles together; a role that is not known permits nothing."""
    claimed = _claim(claims, named.roles_claim)
    names = claimed.split() if isinstance(claimed, str) else claimed
    if not isinstance(names, list):
        return frozenset()
    given = (one for one in names if isinstance(one, str))
    ours = (named.roles.get(one, "") if named.roles else one for one in given)
    return frozenset().union(*(ROLES.get(one, frozenset()) for one in ours))


def _claim(claims: Mapping[str, Any], name: str) -> Any:
    """A claim by its whole name, else by a path with dots: Keycloak's `realm_access.roles`."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(part)
    return found
