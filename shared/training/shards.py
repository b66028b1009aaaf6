"""Which of a few makers makes an operation's rows: by hash, so that no two work on one."""

from hashlib import sha256

from shared.experiments.assignment import SEPARATOR

SHARDS = 16


def shard_of(tenant_id: str, operation_id: str) -> int:
    """0 to 15: the first 8 bytes of SHA-256 of tenant, U+001F and operation, modulo 16."""
    digest = sha256(f"{tenant_id}{SEPARATOR}{operation_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % SHARDS
