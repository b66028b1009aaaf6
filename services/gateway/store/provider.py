"""What the identity provider answers: its addresses, its keys, and tokens for codes."""

import asyncio
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import httpx2
import structlog
from pydantic_core import from_json

from services.gateway.domain.problems import AwayError
from services.gateway.domain.tokens import RefusedCodeError
from shared import clock

TIMEOUT_S = 5.0
"""Of a whole answer."""
FRESH_S = 3600.0
"""A door that the provider moved is found within this time."""
AWAY_EVERY_S = 1.0
"""While it does not answer, however many want to log in."""
MOST_ANSWER = 512 * 1024
WELL_KNOWN = "/.well-known/openid-configuration"
REFUSED = range(400, 500)

log = structlog.get_logger()


class Provider:
    """One provider. Asked over https, or over loopback; never led elsewhere by a redirect."""

    def __init__(
        self, issuer: str, jwks_url: str | None, client: httpx2.AsyncClient | None = None
    ) -> None:
        self._issuer = issuer
        self._jwks_url = jwks_url
        self._said: Mapping[str, Any] | None = None
        self._said_at = self._tried_at = float("-inf")
        self._why = ""
        self._asking = asyncio.Lock()
        self._client = client

    async def metadata(self) -> Mapping[str, Any]:
        """Where its doors are; as it said last, while it is away."""
        if clock.monotonic() - self._said_at >= FRESH_S:
            await self._ask_again()
        if self._said is None:
            raise AwayError("oidc", self._why)
        return self._said

    async def _ask_again(self) -> None:
        if self._said is not None and self._asking.locked():
            return
        async with self._asking:
            now = clock.monotonic()
            if now - self._tried_at < AWAY_EVERY_S:
                return
            self._tried_at = now
            try:
                said = await self._asked("GET", self._issuer.rstrip("/") + WELL_KNOWN)
                if said.get("issuer") != self._issuer:
                    why = "the identity provider names another issuer than the set"
                    raise AwayError("oidc", why)
            except AwayError as error:
                self._why = str(error)
                log.warning("provider_not_known", why=self._why)
                return
            self._said, self._said_at = said, now

    async def keys(self) -> Mapping[str, Any]:
        """Its keys, as a JSON Web Key Set."""
        return await self._asked("GET", self._jwks_url or await self.door("jwks_uri"))

    async def door(self, name: str) -> str:
        """One of its addresses."""
        url = (await self.metadata()).get(name)
        if not isinstance(url, str):
            raise AwayError("oidc", f"the identity provider names no {name}")
        return url

    async def exchange(self, form: Mapping[str, str], secret: str | None) -> Mapping[str, Any]:
        """Tokens for a code; raises `RefusedCodeError` when the code is not good."""
        authority = None if secret is None else (form["client_id"], secret)
        url = await self.door("token_endpoint")
        return await self._asked("POST", url, data=dict(form), auth=authority)

    async def close(self) -> None:
        """Close its connections."""
        if self._client is not None:
            await self._client.aclose()

    async def _asked(self, method: str, url: str, **how: Any) -> Mapping[str, Any]:
        if not is_safe(url):
            raise AwayError("oidc", "the identity provider's address is neither https nor local")
        if self._client is None:
            self._client = httpx2.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False)
        headers = {"Accept": "application/json"}
        try:
            async with (
                asyncio.timeout(TIMEOUT_S),
                self._client.stream(method, url, headers=headers, **how) as response,
            ):
                status, body = response.status_code, await _bounded(response)
        except (httpx2.HTTPError, OSError, TimeoutError) as error:
            raise AwayError("oidc", "the identity provider does not answer") from error
        if status in REFUSED and method == "POST":
            raise RefusedCodeError(f"status {status}")
        try:
            said = from_json(body)
        except ValueError:
            said = None
        if status != httpx2.codes.OK or not isinstance(said, dict):
            raise AwayError("oidc", "the identity provider answers nothing that can be used")
        return said


def is_safe(url: str) -> bool:
    """Whether nobody on the way can change what comes: https, or this machine itself."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return bool(parts.hostname)
    if parts.scheme != "http":
        return False
    if parts.hostname == "localhost":
        return True
    try:
        return ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False


async def _bounded(response: httpx2.Response) -> bytes:
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MOST_ANSWER:
            raise AwayError("oidc", "the identity provider's answer is too long")
    return body
