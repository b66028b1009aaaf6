"""Which part of a dataset an operation is in: by hash, so for ever, and with all of its rows."""

from collections.abc import Mapping
from hashlib import sha256

from shared.experiments.assignment import BUCKETS, SEPARATOR, edges

SPLITS = ("train", "validation", "test")
EXACT = 1e-9
USUAL = {"train": 0.9, "validation": 0.1}
"""Shares where nobody asks for others."""


def ends(shares: Mapping[str, float]) -> dict[str, int]:
    """Where each part's buckets of 10,000 end. The order in which shares are written is nothing.

    Raises ValueError for other parts than `SPLITS`, and for shares that do not add up to 1.
    """
    if strange := sorted(shares.keys() - set(SPLITS)):
        raise ValueError(f"splits are {', '.join(SPLITS)}, not {strange[0]!r}")
    held = {name: shares[name] for name in SPLITS if name in shares}
    if not all(0 <= share <= 1 for share in held.values()) or not _is_whole(held):
        raise ValueError("shares of splits lie between 0 and 1 and add up to 1")
    return dict(zip(held, edges([*held.values()]), strict=True))


def split(salt: str, operation_id: str, ends: Mapping[str, int]) -> str:
    """The part of an operation under a dataset's salt; `ends` as `ends()` gives them.

    Raises ValueError if the salt contains U+001F; the operation, which agents name, may.
    """
    if SEPARATOR in salt:
        raise ValueError("salt must not contain the character U+001F")
    digest = sha256(f"{salt}{SEPARATOR}{operation_id}".encode()).digest()
    bucket = int.from_bytes(digest[:8], "big") * BUCKETS >> 64
    return next(name for name, end in ends.items() if bucket < end)


def _is_whole(shares: Mapping[str, float]) -> bool:
    return abs(sum(shares.values()) - 1) <= EXACT
