"""Which of a few shards an operation is in, so that processes can share the making of rows."""

from hashlib import sha256

SHARDS = 16


def shard_of(tenant_id: str, operation_id: str) -> int:
    """0 to 15, the same for ever."""
    digest = sha256(f"{tenant_id}\x1f{operation_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % SHARDS
