"""UUIDv7: time-ordered ids, unique in this process even within one millisecond (RFC 9562)."""

import os
import threading
import time
from random import Random
from struct import Struct

# Not the module's own generator: agents seed that one, and two of them by the same number.
_chance = Random()  # noqa: S311 - ids are no secrets; asking the system costs a call each time
_lock = threading.RLock()
_last = 0
_pack = Struct(">QQ").pack


def uuid7() -> str:
    """48 bits of milliseconds, then a counter that only grows, then chance."""
    global _last  # noqa: PLW0603 - the order of ids is a property of the process
    # Sub-millisecond time in 12 bits keeps ids of one process in the order they were made.
    ms, rest = divmod(time.time_ns(), 1_000_000)
    stamp = ms << 12 | (rest << 12) // 1_000_000
    with _lock:
        if stamp <= _last:
            stamp = _last + 1
        _last = stamp
        chance = _chance.getrandbits(62)
    # Formatting a number of 128 bits takes thrice as long.
    high = (stamp & ~0xFFF) << 4 | 0x7000 | stamp & 0xFFF
    text = _pack(high, 1 << 63 | chance).hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class Name:
    """An id that is made once somebody wants to know it; the agent's own thread seldom does."""

    # Of the class: each operation makes one, and to call nothing for it is quicker.
    _text = ""

    def __str__(self) -> str:
        if not self._text:
            with _lock:
                self._text = self._text or uuid7()
        return self._text


def _begin_anew() -> None:
    """A child has its parent's chance, and a lock that nobody may be left to release."""
    global _lock, _chance
    _lock, _chance = threading.RLock(), Random()  # noqa: S311 - as above


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
