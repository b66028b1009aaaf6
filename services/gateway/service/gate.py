"""Bounds what is taken in at once: beyond that, callers are sent away before anything grows.

How much may be under way follows from how long it takes: a little more while answers are quick, a
good deal less when they are slow (additive increase, multiplicative decrease, as TCP does it).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from services.gateway.domain.problems import Problem
from shared import telemetry

COME_BACK_S = 1
SLOW_S = 0.5
LESS, MORE = 0.7, 0.1
LEAST_BYTES = 64 * 1024
REQUEST_BYTES = 512  # what a request costs besides its body


class Gate:
    """Counts requests under way, and the bytes that they brought."""

    def __init__(self, most_requests: int, most_bytes: int, now: Callable[[], float]) -> None:
        self._most_requests = most_requests
        self._most_bytes = most_bytes
        self._now = now
        self._limit = float(most_bytes)
        self._requests = 0
        self._bytes = 0
        self._cut_at = now()

    @contextmanager
    def entered(self) -> Iterator[Callable[[int], None]]:
        """Let one request in; what it brings is counted by calling what this yields.

        Raises the problem `overloaded` at the door, or later when too many bytes have come. Who is
        alone is never refused.
        """
        if self._requests >= self._most_requests:
            raise _overloaded()
        started = self._now()
        brought = 0

        def bring(size: int) -> None:
            nonlocal brought
            if self._bytes + size > self._limit and self._bytes > brought:
                raise _overloaded()
            brought += size
            self._bytes += size

        bring(REQUEST_BYTES)
        self._requests += 1
        try:
            yield bring
        finally:
            self._requests -= 1
            self._bytes -= brought
            self._learn(self._now() - started, brought)

    def _learn(self, took_s: float, brought: int) -> None:
        if took_s <= SLOW_S:
            self._limit = min(self._most_bytes, self._limit + brought * MORE)
        elif self._now() - self._cut_at > SLOW_S:
            # At most once in the time that it takes to show.
            self._limit = max(LEAST_BYTES, self._limit * LESS)
            self._cut_at = self._now()


def _overloaded() -> Problem:
    telemetry.SHED.inc()
    return Problem(
        "overloaded",
        "More comes in than can be stored; nothing of this request was taken. Send it again later.",
        headers={"Retry-After": str(COME_BACK_S)},
    )
