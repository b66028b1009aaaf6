"""Sends a message over HTTP: to an address that was judged, without redirects, within a bound."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx2
from standardwebhooks import Webhook

from services.notify.domain.delivery import Target
from services.notify.domain.messages.message import Message
from services.notify.domain.retrying import Attempt
from shared.clock import Clock
from shared.notifications.targets import (
    DEFAULT_PORTS,
    ForbiddenTargetError,
    UnresolvedError,
    permitted,
)

SEND_WITHIN_S = 10.0
CONNECT_WITHIN_S = 5.0
USER_AGENT = "Assay"
MOST_DIGITS = 6


class Notifier:
    """One client for all channels; it keeps no connection, so that none is used for another."""

    def __init__(self, *, allow_private: bool, now: Clock) -> None:
        self._allow_private = allow_private
        self._now = now
        self._client = httpx2.AsyncClient(
            limits=httpx2.Limits(max_keepalive_connections=0),
            follow_redirects=False,
            trust_env=False,  # a proxy would resolve the name once more
            headers={"User-Agent": USER_AGENT},
        )

    async def __call__(self, target: Target, message: Message) -> Attempt:
        """Send each body in turn; the first that is not taken is what came of it.

        Of an error its type alone is told: its words may hold secrets, or what a receiver said.
        """
        sending = _Progress()
        attempt = Attempt(None, "there was nothing to send")
        try:
            async with asyncio.timeout(SEND_WITHIN_S):
                addresses = await permitted(message.url, allow_private=self._allow_private)
                for body in message.bodies:
                    attempt = await self._post(target, message, body, addresses, sending)
                    if attempt.status is None or not httpx2.codes.is_success(attempt.status):
                        break
        except ForbiddenTargetError as error:
            return Attempt(None, f"url {error}", is_forbidden=True)
        except UnresolvedError as error:
            return Attempt(None, str(error))
        except TimeoutError:
            why = f"no answer within {SEND_WITHIN_S:.0f} s"
            return Attempt(None, why, may_have_arrived=sending.began)
        except (httpx2.InvalidURL, ValueError) as error:
            return Attempt(None, f"cannot be sent: {type(error).__name__}", is_forbidden=True)
        return attempt

    async def close(self) -> None:
        """Close the client."""
        await self._client.aclose()

    async def _post(
        self,
        target: Target,
        message: Message,
        body: bytes,
        addresses: list[str],
        sending: "_Progress",
    ) -> Attempt:
        url = httpx2.URL(message.url)
        host = url.raw_host.decode("ascii")
        headers = message.headers | self._signed(target, message, body)
        headers["Host"] = _authority(url, host)
        connect_s = min(CONNECT_WITHIN_S, SEND_WITHIN_S * 0.8 / len(addresses))
        why = ""
        for address in addresses:
            try:
                # The body is not read: nothing of what a receiver answers is shown to anybody.
                async with self._client.stream(
                    "POST",
                    url.copy_with(host=address),
                    content=body,
                    headers=headers,
                    timeout=httpx2.Timeout(SEND_WITHIN_S, connect=connect_s),
                    extensions={"sni_hostname": host, "trace": sending.trace},
                ) as answer:
                    return Attempt(answer.status_code, retry_after=_retry_after(answer))
            except httpx2.HTTPError as error:
                why = type(error).__name__
                if sending.began:
                    return Attempt(None, f"broke off: {why}", may_have_arrived=True)
        return Attempt(None, f"cannot connect: {why}")

    def _signed(self, target: Target, message: Message, body: bytes) -> dict[str, str]:
        """The headers of Standard Webhooks; without a secret no signature among them."""
        if message.sign_as is None:
            return {}
        now, identity = self._now(), str(message.sign_as)
        headers = {"webhook-id": identity, "webhook-timestamp": str(int(now.timestamp()))}
        if target.secret is not None:
            signature = Webhook(target.secret).sign(identity, now, body.decode())
            headers["webhook-signature"] = signature
        return headers


class _Progress:
    """Whether anything of a request has left: until then nothing can have arrived."""

    began = False

    async def trace(self, event: str, _: Mapping[str, Any]) -> None:
        """Told by the client of each of its steps."""
        self.began = self.began or event.endswith("send_request_headers.started")


def _authority(url: httpx2.URL, host: str) -> str:
    host = f"[{host}]" if ":" in host else host
    return host if url.port in (None, DEFAULT_PORTS[url.scheme]) else f"{host}:{url.port}"


def _retry_after(answer: httpx2.Response) -> timedelta | None:
    said = answer.headers.get("retry-after", "")
    is_seconds = said.isascii() and said.isdigit() and len(said) <= MOST_DIGITS
    return timedelta(seconds=int(said)) if is_seconds else None
