"""Proof that a record is its tenant's: a header that only holders of a key can make.

    assay-tenant-proof: v1.<key version>.<base64url of HMAC-SHA256(topic_key, tenant_id 00 value)>
    topic_key  = HMAC-SHA256(tenant_key, full name of the topic)
    tenant_key = HMAC-SHA256(master key, tenant_id 00 key version)

The topic is covered because one body can be an event of two kinds: unknown fields are ignored.
Pure: whoever has the keys hands them in.
"""

import hmac
import re
from binascii import b2a_base64
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache

from shared.errors import InvalidRecordError, Reason

HEADER = "assay-tenant-proof"
FORM = "v1"
MIN_MASTER_KEY = 32
DEFAULT_VERSION = "1"
# No tenant's key is derived from this: tenant ids hold no space.
FINGERPRINT = b"which key is this"
_KNOWN_KEYS = 4096
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_VERSIONED = re.compile(r"([0-9]{1,9}):(.*)", re.ASCII)


class MasterKeyError(ValueError):
    """The master keys cannot be used; says why and never what they are."""


def master_keys(text: str) -> dict[str, bytes]:
    """Read `version:secret`, one or more with white space between; a bare secret is version 1.

    Raises `MasterKeyError`.
    """
    found: dict[str, bytes] = {}
    for part in text.split():
        match = _VERSIONED.fullmatch(part)
        version, secret = match.groups() if match else (DEFAULT_VERSION, part)
        if version in found:
            raise MasterKeyError(f"version {version} is given twice")
        if len(secret) < MIN_MASTER_KEY:
            raise MasterKeyError(f"version {version} has fewer than {MIN_MASTER_KEY} characters")
        found[version] = secret.encode()
    if not found:
        raise MasterKeyError("there is no key")
    return found


class Unproven(StrEnum):
    """Why a record proves no tenant."""

    NO_PROOF = "no_proof"
    SEVERAL = "several_proofs"
    UNKNOWN_KEY = "unknown_key"
    OTHER = "other_record_or_key"


SENTENCES = {
    Unproven.NO_PROOF: "the record has no proof of its tenant",
    Unproven.SEVERAL: "the record has more than one proof",
    Unproven.UNKNOWN_KEY: "the record has a proof by a key that nobody here knows",
    Unproven.OTHER: "the record has a proof that is not of this tenant, topic and value",
}
OnUnproven = Callable[[Unproven, str, str], None]
"""Is told why, the topic, and the tenant that the record names."""


def tell_nobody(why: Unproven, topic: str, tenant_id: str) -> None:
    """For those who ask no further."""


class Proofs:
    """Signs with the first of the master keys, and knows what any of them signed."""

    def __init__(self, masters: Mapping[str, bytes], on_unproven: OnUnproven = tell_nobody) -> None:
        self._masters = dict(masters)
        self._on_unproven = on_unproven
        self._version = next(iter(self._masters))
        self._of_prefix = {f"{FORM}.{version}".encode(): version for version in self._masters}
        # Bounded: whoever may write to a topic may name any number of tenants.
        self._begun = lru_cache(maxsize=_KNOWN_KEYS)(self._begin)

    def header(self, topic: str, tenant_id: str, value: bytes) -> tuple[str, bytes]:
        """The header of a record to be."""
        return HEADER, self._proof(self._version, topic, tenant_id, value)

    def check(
        self, topic: str, tenant_id: str, value: bytes, headers: Sequence[tuple[str, bytes | None]]
    ) -> None:
        """Raise `InvalidRecordError` unless exactly one header proves that this is the tenant's."""
        given = [content for name, content in headers if name == HEADER]
        one = given[0] if len(given) == 1 else None
        version = None if one is None else self._of_prefix.get(one.rpartition(b".")[0])
        if one is not None and version is not None:
            if hmac.compare_digest(one, self._proof(version, topic, tenant_id, value)):
                return
            why = Unproven.OTHER
        elif one is not None:
            why = Unproven.UNKNOWN_KEY
        else:
            why = Unproven.SEVERAL if len(given) > 1 else Unproven.NO_PROOF
        self._on_unproven(why, topic, tenant_id)
        raise InvalidRecordError(Reason.TENANT_MISMATCH, SENTENCES[why])

    def fingerprints(self) -> dict[str, str]:
        """By version, the one that signs first: what to compare two services' keys by."""
        return {
            version: hmac.digest(master, FINGERPRINT, "sha256")[:4].hex()
            for version, master in self._masters.items()
        }

    def tenant_key(self, tenant_id: str) -> str:
        """`<key version>.<base64url>`: what a producer of this tenant signs with."""
        key = self._tenant_key(self._version, tenant_id.encode())
        return f"{self._version}.{_text(key).decode()}"

    def _proof(self, version: str, topic: str, tenant_id: str, value: bytes) -> bytes:
        mac = self._begun(version, topic, tenant_id).copy()
        mac.update(value)
        return b"%s.%s.%s" % (FORM.encode(), version.encode(), _text(mac.digest()))

    def _begin(self, version: str, topic: str, tenant_id: str) -> hmac.HMAC:
        """All that precedes the value: a copy of it costs less than to begin anew."""
        tenant = tenant_id.encode()
        key = hmac.digest(self._tenant_key(version, tenant), topic.encode(), "sha256")
        return hmac.new(key, tenant + b"\0", "sha256")

    def _tenant_key(self, version: str, tenant: bytes) -> bytes:
        return hmac.digest(self._masters[version], tenant + b"\0" + version.encode(), "sha256")


def _text(content: bytes) -> bytes:
    """Base64url without padding; `urlsafe_b64encode` takes twice as long."""
    return b2a_base64(content, newline=False).translate(_URL_SAFE, b"=")
