"""Bounds what is taken in at once: beyond that, callers are sent away before it piles up.

How much may be under way follows from how long storing takes: a little more while it is quick, a
good deal less when it is slow (additive increase, multiplicative decrease, as TCP does it).

A tenant leaves a quarter of it to the others: else a few bodies that arrive slowly, of one tenant,
would keep all events of all tenants out.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from services.gateway.domain.problems import Problem
from services.gateway.service.shares import Shares, share_of
from shared import telemetry

COME_BACK_S = 1
SLOW_S = 0.5
LESS, MORE = 0.7, 0.1
LEAST_BYTES = 64 * 1024
REQUEST_BYTES = 512  # what a request costs besides its body


class Gate:
    """Counts writes under way, and the bytes that they brought."""

    def __init__(self, most_requests: int, most_bytes: int, now: Callable[[], float]) -> None:
        self._most_requests = most_requests
        self._most_bytes = most_bytes
        self._now = now
        self._limit = float(most_bytes)
        self._requests = 0
        self._bytes = 0
        self._requests_of, self._bytes_of = Shares(), Shares()
        self._cut_at = now()

    @property
    def under_way(self) -> int:
        """Requests that are being taken in."""
        return self._requests

    @contextmanager
    def entered(self, tenant_id: str) -> Iterator[Callable[[int], None]]:
        """Let one request in; what it brings is counted by calling what this yields.

        Raises the problem `overloaded` at the door, or later when too many bytes have come. Who is
        alone is never refused.
        """
        if self._requests >= self._most_requests or (
            self._requests_of.of(tenant_id) >= share_of(self._most_requests)
        ):
            raise _overloaded()
        brought = 0

        def bring(size: int) -> None:
            nonlocal brought
            if not self._has_room(tenant_id, size, brought):
                raise _overloaded()
            brought += size
            self._bytes += size
            self._bytes_of.take(tenant_id, size)

        bring(REQUEST_BYTES)
        self._requests += 1
        self._requests_of.take(tenant_id)
        try:
            yield bring
        finally:
            self._requests -= 1
            self._bytes -= brought
            self._requests_of.give_back(tenant_id)
            self._bytes_of.give_back(tenant_id, brought)

    def _has_room(self, tenant_id: str, size: int, brought: int) -> bool:
        """Whether `size` more bytes may come to the `brought` ones of the same request."""
        of_tenant = self._bytes_of.of(tenant_id)
        is_full = self._bytes + size > self._limit and self._bytes > brought
        has_share = of_tenant + size > share_of(self._limit) and of_tenant > brought
        return not (is_full or has_share)

    @contextmanager
    def storing(self, size: int) -> Iterator[None]:
        """Around what is done once a body of `size` bytes is here; learns from it when it works.

        How long a body takes to arrive says nothing about us, and a refusal nothing about storing.
        """
        started = self._now()
        yield
        took_s = self._now() - started
        if took_s <= SLOW_S:
            self._limit = min(self._most_bytes, self._limit + size * MORE)
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
