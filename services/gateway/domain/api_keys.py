"""API keys: `assay_<id>_<secret>`; only the secret's hash is ever stored."""

import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

SECRET_BYTES = 32
ID_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
ID_LENGTH = 12
_FORMAT = re.compile(r"assay_([a-z0-9]{12})_([A-Za-z0-9_-]{43})")


class NewKey(NamedTuple):
    """A key as its owner sees it once, and what is kept of it."""

    key: str
    key_id: str
    secret_hash: bytes


@dataclass(frozen=True, slots=True)
class StoredKey:
    """What the store knows of a key."""

    tenant_id: str
    key_id: str
    permissions: frozenset[str]
    secret_hash: bytes
    expires_at: datetime | None
    revoked_at: datetime | None
    role: str | None = None


class Principal(NamedTuple):
    """Who asks: a key of a tenant, or somebody whom the tenant's provider knows."""

    tenant_id: str
    key_id: str
    permissions: frozenset[str]
    user: str | None = None
    """The provider's name of a person or a program; then there is no key."""
    role: str | None = None

    @property
    def actor(self) -> str:
        """Who it was, as objects remember it."""
        return f"key:{self.key_id}" if self.user is None else f"user:{self.user}"


def new_key(random_bytes: bytes) -> NewKey:
    """Make a key of 44 random bytes: 12 for its id, 32 for its secret."""
    id_bytes, secret_bytes = random_bytes[:ID_LENGTH], random_bytes[ID_LENGTH:]
    if len(secret_bytes) != SECRET_BYTES:
        raise ValueError(f"a key is made of {ID_LENGTH + SECRET_BYTES} random bytes")
    key_id = "".join(ID_ALPHABET[byte % len(ID_ALPHABET)] for byte in id_bytes)
    secret = urlsafe_b64encode(secret_bytes).rstrip(b"=").decode()
    return NewKey(f"assay_{key_id}_{secret}", key_id, sha256(secret.encode()).digest())


def parse_key(presented: str) -> tuple[str, bytes] | None:
    """Id and secret hash of a presented key; `None` when it is none of ours."""
    match = _FORMAT.fullmatch(presented)
    if match is None:
        return None
    return match[1], sha256(match[2].encode()).digest()


def admit(stored: StoredKey, presented_hash: bytes, now: datetime) -> Principal | None:
    """Whom a presented secret proves; `None` for a wrong, expired or revoked key."""
    if not hmac.compare_digest(stored.secret_hash, presented_hash):
        return None
    return still_good(stored, now)


def still_good(stored: StoredKey, now: datetime) -> Principal | None:
    """Whom a key stands for whose secret was proven; `None` once it is expired or revoked.

    Revoked is revoked: the time was noted by another machine, whose clock may be ahead.
    """
    if stored.revoked_at is not None:
        return None
    if stored.expires_at is not None and stored.expires_at <= now:
        return None
    return Principal(stored.tenant_id, stored.key_id, stored.permissions, role=stored.role)
