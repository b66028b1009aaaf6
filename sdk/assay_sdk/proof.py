"""Signs events with the key that proves whose they are (`assay keys tenant-proof`)."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error

HEADER = "assay-tenant-proof"
KEY_BYTES = 32


class ProofKey:
    """A tenant's key: `<version>.<base64url>`. What it signs is known to be of that tenant."""

    def __init__(self, text: str) -> None:
        """`ValueError` if the text is no such key; it does not repeat the text."""
        version, _, secret = text.strip().partition(".")
        try:
            key = urlsafe_b64decode(secret + "=" * (-len(secret) % 4))
        except (Error, ValueError):
            key = b""
        if not (version.isascii() and version.isdecimal()) or len(key) != KEY_BYTES:
            raise ValueError("the proof key is none: `assay keys tenant-proof` prints one")
        self.version, self.key = version, key
        self._of_topics: dict[str, bytes] = {}

    def header(self, topic: str, tenant_id: str, value: bytes) -> tuple[str, bytes]:
        """The header that proves that a record of a topic is this tenant's."""
        key = self._of_topics.get(topic)
        if key is None:
            key = self._of_topics[topic] = hmac.digest(self.key, topic.encode(), "sha256")
        mac = hmac.digest(key, tenant_id.encode() + b"\0" + value, "sha256")
        proof = urlsafe_b64encode(mac).rstrip(b"=")
        return HEADER, b"v1.%s.%s" % (self.version.encode(), proof)

    def __repr__(self) -> str:
        return f"ProofKey(version={self.version})"
