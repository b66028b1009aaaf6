"""Keys of the audit chain; none of them ever reaches the database."""

import hmac
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

DERIVED: Final = 0
"""The version of the key that is made of the installation's secret."""
LEAST_CHARACTERS: Final = 32
_VERSIONED = re.compile(r"([1-9][0-9]{0,3}):(\S+)")


class AuditKeyError(ValueError):
    """The setting holds no keys."""


class Keys:
    """Secrets by version; the highest version seals new rows, the others still verify old ones."""

    def __init__(self, secrets: Mapping[int, bytes]) -> None:
        if not secrets:
            raise AuditKeyError("there is no audit key")
        self._secrets = dict(secrets)
        self.current = max(secrets)

    def of_chain(self, version: int, tenant_id: str) -> bytes | None:
        """The key of a tenant's rows; `None` for a version that is not here."""
        return self._derived(version, "chain", tenant_id)

    def of_anchors(self, version: int) -> bytes | None:
        """The key of the anchor file's lines."""
        return self._derived(version, "anchors", "")

    def of_exports(self, version: int) -> bytes | None:
        """The key of what an exported file says of itself."""
        return self._derived(version, "exports", "")

    def digest(self, tenant_id: str, text: str) -> str:
        """Stands for a text: the same for the same, and not to be guessed without the key."""
        key = self._derived(self.current, "digests", tenant_id)
        assert key is not None  # noqa: S101 - the current version is here
        return (
            "hmac:" + hmac.digest(key, text.encode("utf-8", "surrogatepass"), "sha256").hex()[:32]
        )

    def _derived(self, version: int, purpose: str, tenant_id: str) -> bytes | None:
        secret = self._secrets.get(version)
        return None if secret is None else _derived(secret, purpose, tenant_id)


def keys_of(given: str | None, installation: str | None) -> Keys:
    """Keys from settings: `given` is one secret, or several as `2:secret 1:secret`.

    The key that is made of the installation's secret has version 0, so that whoever gives keys
    later can still verify what it sealed. Raises `AuditKeyError`.
    """
    secrets: dict[int, bytes] = {}
    if installation:
        secrets[DERIVED] = hmac.digest(installation.encode(), b"assay audit", "sha256")
    for word in (given or "").replace(",", " ").split():
        version, secret = _version(word)
        if len(secret) < LEAST_CHARACTERS:
            raise AuditKeyError(f"an audit key has at least {LEAST_CHARACTERS} characters")
        if version in secrets and version != DERIVED:
            raise AuditKeyError(f"there are two audit keys of version {version}")
        secrets[version] = secret.encode()
    return Keys(secrets)


def _version(word: str) -> tuple[int, str]:
    match = _VERSIONED.fullmatch(word)
    return (int(match[1]), match[2]) if match else (1, word)


@lru_cache(maxsize=4096)
def _derived(secret: bytes, purpose: str, tenant_id: str) -> bytes:
    return hmac.digest(secret, f"{purpose}\0{tenant_id}".encode(), "sha256")
