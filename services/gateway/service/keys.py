"""What people do with API keys."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from services.gateway.domain.api_keys import (
    ID_LENGTH,
    SECRET_BYTES,
    NewKey,
    Principal,
    new_key,
)
from services.gateway.domain.keys import (
    MOST_KEYS,
    KeyWanted,
    LastAdminKeyError,
    RotationWanted,
    granted,
    refuse_ended,
    refuse_more_than,
    successor_ends_at,
)
from services.gateway.domain.problems import Problem, wrong_field
from shared.clock import Clock

Row = Any  # a row of the store: members by column


class Store(Protocol):
    """Where keys stay."""

    async def add(
        self, tenant_id: str, values: Sequence[Any], now: datetime, most: int
    ) -> Row | None:
        """Keep a new key, unless there are enough."""

    async def revoke(self, tenant_id: str, identity: UUID, now: datetime) -> Row | None:
        """End a key; raises `LastAdminKeyError`."""

    async def rotate(
        self,
        tenant_id: str,
        identity: UUID,
        successor: Callable[[Row], tuple[Sequence[Any], datetime]],
    ) -> Row | None:
        """Replace a key."""


class Made(NamedTuple):
    """A new key, whole."""

    row: Row
    key: str


class Keys:
    """Keys of one tenant at a time."""

    def __init__(
        self,
        store: Store,
        now: Clock,
        new_id: Callable[[], UUID],
        random_bytes: Callable[[int], bytes],
        forget: Callable[[str], None],
    ) -> None:
        self._store = store
        self._now = now
        self._new_id = new_id
        self._random = random_bytes
        self._forget = forget

    async def make(self, who: Principal, wanted: KeyWanted) -> Made:
        """A new key that permits no more than its maker may do."""
        now = self._now()
        refuse_more_than(who.permissions, wanted.grants())
        _refuse_past(wanted.expires_at, now)
        made = self._new_key()
        kept = (wanted.name, wanted.role, sorted(wanted.grants()), made.secret_hash)
        values = (self._new_id(), made.key_id, *kept, who.actor, wanted.expires_at)
        row = await self._store.add(who.tenant_id, values, now, MOST_KEYS)
        if row is None:
            raise wrong_field("", f"a tenant has at most {MOST_KEYS} live keys; revoke one")
        return Made(row, made.key)

    async def revoke(self, who: Principal, identity: UUID) -> None:
        """End a key: here at once, elsewhere as soon as it is looked up again."""
        try:
            row = await self._store.revoke(who.tenant_id, identity, self._now())
        except LastAdminKeyError as error:
            raise Problem(
                "conflict",
                "This is the tenant's last key that may manage keys. Make or rotate one with the "
                "role admin first; or, to lock everybody out, use `assay keys revoke --force`.",
            ) from error
        if row is None:
            raise no_key(identity)
        self._forget(row["key_id"])

    async def rotate(self, who: Principal, identity: UUID, wanted: RotationWanted) -> Made:
        """A new key in place of an old one, which goes on for the overlap."""
        now, made = self._now(), self._new_key()
        _refuse_past(wanted.expires_at, now)
        ended = []

        def successor(old: Row) -> tuple[Sequence[Any], datetime]:
            refuse_more_than(who.permissions, granted(old["role"], frozenset(old["permissions"])))
            refuse_ended(old, now)
            ended.append(old["key_id"])
            kept = (old["name"], old["role"], old["permissions"], made.secret_hash)
            ends_at = successor_ends_at(old, wanted, now)
            values = (self._new_id(), made.key_id, *kept, who.actor, ends_at)
            return values, now + timedelta(seconds=wanted.overlap_s)

        row = await self._store.rotate(who.tenant_id, identity, successor)
        if row is None:
            raise no_key(identity)
        self._forget(ended[0])
        return Made(row, made.key)

    def _new_key(self) -> NewKey:
        return new_key(self._random(ID_LENGTH + SECRET_BYTES))


def no_key(identity: UUID) -> Problem:
    """The 404 of a key."""
    return Problem("not-found", f"There is no API key {identity}.")


def _refuse_past(expires_at: datetime | None, now: datetime) -> None:
    if expires_at is not None and expires_at <= now:
        raise wrong_field("expires_at", "lies in the past; choose a time that is to come")
