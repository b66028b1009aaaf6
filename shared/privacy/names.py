"""What marks hold of a person: digests under a key that no store has."""

import hmac
from functools import lru_cache
from hashlib import sha256

from shared.pseudonym import pseudonym

USER, OPERATION, SESSION, UNIT = "user_id", "operation_id", "session_id", "unit"
PEOPLE = frozenset({USER, SESSION})
"""What may be a unit of A/B tests."""
DIGEST_DIGITS = 32


class Names:
    """Names of one installation. `secret` is that of pseudonyms."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def pseudonym(self, tenant_id: str, user_id: str) -> str:
        """The name under which a person is stored."""
        return pseudonym(self._secret, tenant_id, user_id)

    def digest(self, tenant_id: str, field: str, value: str) -> str:
        """What a mark says of a value; of people the value is the pseudonym."""
        return _digest(self._secret, tenant_id, field, value)


@lru_cache(maxsize=16_384)
def _digest(secret: bytes, tenant_id: str, field: str, value: str) -> str:
    said = f"{field}\0{value}".encode()
    return hmac.digest(_key(secret, tenant_id), said, "sha256").hex()[:DIGEST_DIGITS]


@lru_cache(maxsize=4096)
def _key(secret: bytes, tenant_id: str) -> bytes:
    return hmac.new(secret, b"erasure\0" + tenant_id.encode(), sha256).digest()
