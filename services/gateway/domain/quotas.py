"""How often a tenant may ask: token buckets, and what callers are told of them.

Header fields after draft-ietf-httpapi-ratelimit-headers-11.
"""

from collections.abc import Mapping
from enum import StrEnum
from math import ceil
from typing import NamedTuple

PORTION_S = 0.05
"""Tokens of so much time are taken from the shared bucket at once, and spent without asking it."""


class Kind(StrEnum):
    """What is asked: each has a bucket of its own, so that no export keeps events out."""

    WRITES = "writes"
    READS = "reads"
    HEAVY = "heavy-reads"


class Quota(NamedTuple):
    """Requests per second for ever, and how many at once after a rest."""

    per_s: float
    burst: int

    @property
    def portion(self) -> int:
        """How many tokens a process takes at once."""
        return max(1, min(self.burst, int(self.per_s * PORTION_S)))


class Taken(NamedTuple):
    """What a bucket gave, perhaps fewer than were asked for; when none, how long till the next."""

    tokens: int
    left: int
    wait_s: float


class Told(NamedTuple):
    """What became of a request."""

    kind: Kind
    quota: Quota
    left: int
    wait_s: float = 0.0
    """More than 0 for one that is refused."""

    @property
    def retry_after_s(self) -> int:
        """Whole seconds, at least 1."""
        return max(1, ceil(self.wait_s))

    def headers(self) -> Mapping[str, str]:
        """`RateLimit` and `RateLimit-Policy`."""
        quota = self.quota
        window_s = ceil(quota.burst / quota.per_s)
        full_in_s = ceil((quota.burst - self.left) / quota.per_s)
        return {
            "RateLimit-Policy": f'"{self.kind}";q={quota.burst};w={window_s}',
            "RateLimit": f'"{self.kind}";r={self.left};t={full_in_s}',
        }


class Bucket:
    """A token bucket of this process alone. Time is an argument."""

    def __init__(self, quota: Quota, now_s: float) -> None:
        self._quota = quota
        self._tokens = float(quota.burst)
        self._at = now_s

    def take(self, want: int, now_s: float) -> Taken:
        """As many as there are, at most `want`."""
        since_s = max(0.0, now_s - self._at)
        self._tokens = min(self._quota.burst, self._tokens + since_s * self._quota.per_s)
        self._at = now_s
        given = min(want, int(self._tokens))
        self._tokens -= given
        wait_s = 0.0 if given else (1 - self._tokens) / self._quota.per_s
        return Taken(given, int(self._tokens), wait_s)
