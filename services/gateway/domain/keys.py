"""API keys as people ask for them and as they are answered; who may give what to whom."""

from collections.abc import Set
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator, model_validator

from services.gateway.domain.permissions import ADMIN, ROLES
from services.gateway.domain.problems import Problem

MANAGES = "keys:admin"
MOST_KEYS = 500
DAY_S = 86_400
LONGEST_OVERLAP_S = 30 * DAY_S

Role = Literal["agent", "viewer", "analyst", "operator", "admin"]
KeyState = Literal["active", "expired", "revoked"]


class LastAdminKeyError(Exception):
    """Without this key nobody could manage the tenant's keys."""


class KeyWanted(BaseModel):
    """A key that is to be made."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=128, description="What it is for.")]
    role: Role | None = None
    permissions: Annotated[list[str] | None, Field(min_length=1, max_length=64)] = None
    expires_at: AwareDatetime | None = None

    @field_validator("permissions")
    @classmethod
    def _known(cls, named: list[str] | None) -> list[str] | None:
        unknown = sorted(set(named or ()) - ADMIN)
        if unknown:
            raise ValueError(
                f"there is no permission {unknown[0]!r}; permissions are {', '.join(sorted(ADMIN))}"
            )
        return named and sorted(set(named))

    @model_validator(mode="after")
    def _either(self) -> Self:
        if (self.role is None) == (self.permissions is None):
            raise ValueError("give either a role or a list of permissions")
        return self

    def grants(self) -> frozenset[str]:
        """What the key will permit."""
        return ROLES[self.role] if self.role else frozenset(self.permissions or ())


class RotationWanted(BaseModel):
    """How a key is to be replaced."""

    model_config = ConfigDict(extra="forbid")

    overlap_s: Annotated[
        int, Field(ge=0, le=LONGEST_OVERLAP_S, description="How long the old key goes on (s).")
    ] = DAY_S
    expires_at: Annotated[
        AwareDatetime | None,
        Field(description="Of the new key; by default it lives as long as the old one was to."),
    ] = None


class KeptKey(BaseModel):
    """A key without its secret."""

    id: UUID
    name: str
    prefix: str
    """What the key begins with."""
    role: Role | None
    permissions: list[str]
    state: KeyState
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    """To five minutes."""
    replaced_by: UUID | None


class MadeKey(KeptKey):
    """A new key: the only answer that shows it whole."""

    key: str | None
    """Null where an Idempotency-Key is repeated: it is kept nowhere."""


class KeysPage(BaseModel):
    """A page of keys."""

    items: list[KeptKey]
    next_cursor: str | None


def granted(role: str | None, stored: Set[str]) -> frozenset[str]:
    """What a key permits: with a role, what that role permits today."""
    return ROLES.get(role or "", frozenset(stored))


def refuse_more_than(holder: Set[str], wanted: Set[str]) -> None:
    """Raise 403 where a key would permit what its maker may not do."""
    more = sorted(wanted - holder)
    if more:
        raise Problem(
            "forbidden", f"A key cannot permit more than yours does; yours lacks {', '.join(more)}."
        )


def successor_ends_at(old: Any, wanted: RotationWanted, now: datetime) -> datetime | None:
    """When the key that replaces `old` expires."""
    if wanted.expires_at is not None or old["expires_at"] is None:
        return wanted.expires_at
    lifetime: timedelta = old["expires_at"] - old["created_at"]
    return now + lifetime


def state_of(row: Any, now: datetime) -> KeyState:
    """Whether a stored key is good for anything."""
    if row["revoked_at"] is not None:
        return "revoked"
    ended = row["expires_at"] is not None and row["expires_at"] <= now
    return "expired" if ended else "active"


def key_view(row: Any, now: datetime) -> dict[str, Any]:
    """A stored key as it is answered."""
    shown = dict(row)
    key_id = shown.pop("key_id")
    permissions = granted(row["role"], frozenset(row["permissions"]))
    return shown | {
        "prefix": f"assay_{key_id}",
        "permissions": sorted(permissions),
        "state": state_of(row, now),
    }


def refuse_ended(old: Any, now: datetime) -> None:
    """Raise 409 where a key cannot be rotated any more."""
    if old["replaced_by"] is not None:
        detail = f"This key was rotated already; rotate its successor {old['replaced_by']}."
        raise Problem("conflict", detail)
    state = state_of(old, now)
    if state != "active":
        raise Problem("conflict", f"This key is {state}; make a new one instead.")
