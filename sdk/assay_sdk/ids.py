"""UUIDv7: time-ordered ids, unique in this process even within one millisecond (RFC 9562)."""

import os
import threading
import time
from uuid import UUID

_lock = threading.Lock()
_last = 0


def uuid7() -> UUID:
    """48 bits of milliseconds, then a counter that only grows, then chance."""
    global _last  # noqa: PLW0603 - the order of ids is a property of the process
    # Sub-millisecond time in 12 bits keeps ids of one process in the order they were made.
    moment = time.time_ns()
    stamp = (moment // 1_000_000) << 12 | (moment % 1_000_000) * 4096 // 1_000_000
    with _lock:
        stamp = _last = max(stamp, _last + 1)
    chance = int.from_bytes(os.urandom(8), "big") & (2**62 - 1)
    value = (stamp >> 12) << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64 | 0b10 << 62 | chance
    return UUID(int=value)
