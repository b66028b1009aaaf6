"""Does a write once per Idempotency-Key: a repeat gets the first answer."""

import hmac
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Protocol

from services.gateway.domain.problems import AwayError, Problem

DONE_PARTS = 3

Do = Callable[[], Awaitable[dict[str, Any]]]
"""The write; answers what JSON can hold."""


class Answers(Protocol):
    """Remembers answers by Idempotency-Key."""

    async def begin(self, tenant_id: str, key: str, digest: str) -> str | None:
        """Reserve a key."""

    async def finish(
        self, tenant_id: str, key: str, digest: str, answer: dict[str, Any] | None
    ) -> None:
        """Keep its answer, or free it."""


class Once:
    """Keys belong to a tenant and to what is done.

    A body is remembered by a digest under `secret`: who reads the memory must not be able to try
    which names fit.
    """

    def __init__(self, answers: Answers, secret: bytes) -> None:
        self._answers = answers
        self._secret = secret

    async def __call__(
        self,
        tenant_id: str,
        what: str,
        key: str | None,
        body: bytes,
        do: Do,
        *,
        needs_memory: bool = False,
    ) -> dict[str, Any]:
        """Do it, or answer as the first time; without a key, do it.

        Without anybody to remember the key, do it too if a repeat is harmless: an event has an id.
        """
        if key is None:
            return await do()
        scoped, digest = f"{what} {key}", hmac.digest(self._secret, body, "sha256").hex()
        try:
            found = await self._answers.begin(tenant_id, scoped, digest)
        except AwayError:
            if needs_memory:
                raise
            return await do()
        if found is not None:
            return _repeated(found, digest)
        answer = None
        try:
            answer = await do()
        finally:
            with suppress(AwayError):  # then the reservation expires by itself
                await self._answers.finish(tenant_id, scoped, digest, answer)
        return answer


def _repeated(found: str, digest: str) -> dict[str, Any]:
    state, known, *answer = found.split(" ", DONE_PARTS - 1)
    if known != digest:
        raise Problem("idempotency-reuse", "Use a new Idempotency-Key for another body.")
    if state == "pending":
        raise Problem("idempotency-in-flight", "Try again once the first request has finished.")
    stored: dict[str, Any] = json.loads(answer[0])
    return stored
