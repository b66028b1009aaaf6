"""Login at the identity provider: OIDC's code flow with PKCE, state and nonce."""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlencode

from services.gateway.domain.api_keys import Principal
from services.gateway.domain.problems import Problem
from services.gateway.domain.tokens import RefusedCodeError, TokenError
from services.gateway.service.tokens import Tokens

RANDOM_BYTES = 32
MOST_NEXT = 512


class Doors(Protocol):
    """The provider."""

    async def door(self, name: str) -> str:
        """One of its addresses."""

    async def exchange(self, form: Mapping[str, str], secret: str | None) -> Mapping[str, Any]:
        """Tokens for a code; raises `RefusedCodeError`."""


class Client(NamedTuple):
    """As whom the provider knows us."""

    issuer: str
    client_id: str
    secret: str | None
    scopes: str


class SigningIn:
    """Begins and finishes logins; between, only the browser remembers."""

    def __init__(
        self, doors: Doors, client: Client, tokens: Tokens, random: Callable[[int], bytes]
    ) -> None:
        self._doors = doors
        self._client = client
        self._tokens = tokens
        self._random = random

    async def begin(self, redirect_uri: str, following: str) -> tuple[str, dict[str, str]]:
        """Where to send the browser, and what it must bring back."""
        kept = {name: self._secret() for name in ("state", "nonce", "verifier")}
        challenge = urlsafe_b64encode(sha256(kept["verifier"].encode()).digest()).rstrip(b"=")
        query = {
            "response_type": "code",
            "client_id": self._client.client_id,
            "redirect_uri": redirect_uri,
            "scope": self._client.scopes,
            "state": kept["state"],
            "nonce": kept["nonce"],
            "code_challenge": challenge.decode(),
            "code_challenge_method": "S256",
        }
        door = await self._doors.door("authorization_endpoint")
        url = f"{door}{'&' if '?' in door else '?'}{urlencode(query)}"
        return url, kept | {"next": local(following), "redirect_uri": redirect_uri}

    async def finish(self, begun: Mapping[str, Any] | None, given: Mapping[str, str]) -> Principal:
        """Who came back, once all that was begun fits what the provider sends."""
        if begun is None or not _same(begun["state"], given.get("state", "")):
            raise refused("it was not begun in this browser, or too long ago; begin anew")
        if given.get("iss", self._client.issuer) != self._client.issuer:
            raise refused("the answer is of another provider")
        if "error" in given or "code" not in given:
            raise refused("the provider did not let you in")
        form = {
            "grant_type": "authorization_code",
            "code": given["code"],
            "redirect_uri": begun["redirect_uri"],
            "client_id": self._client.client_id,
            "code_verifier": begun["verifier"],
        }
        try:
            answer = await self._doors.exchange(form, self._client.secret)
        except RefusedCodeError as error:
            raise refused("the provider did not take the code; begin anew") from error
        return await self._named(answer.get("id_token"), begun["nonce"])

    async def _named(self, token: Any, nonce: str) -> Principal:
        try:
            if not isinstance(token, str):
                raise TokenError("there is none")
            claims = await self._tokens.claims(token, self._client.client_id)
            self._refuse_foreign(claims, nonce)
            return await self._tokens.named_by(claims)
        except TokenError as error:
            raise refused(f"the token was not accepted: {error}") from error

    def _refuse_foreign(self, claims: Mapping[str, Any], nonce: str) -> None:
        if not _same(nonce, claims.get("nonce", "")):
            raise TokenError("it was made for another login")
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if claims.get("azp", None if several else self._client.client_id) != self._client.client_id:
            raise TokenError("it is for another audience")

    def _secret(self) -> str:
        return urlsafe_b64encode(self._random(RANDOM_BYTES)).rstrip(b"=").decode()


def local(path: str) -> str:
    """A path of ours to go on to; anything that could lead elsewhere is the first page."""
    plain = path.startswith("/") and not path.startswith("//") and len(path) <= MOST_NEXT
    return path if plain and path.isprintable() and not set('\\ "<>') & set(path) else "/"


def refused(why: str) -> Problem:
    """The 401 of a login."""
    return Problem("unauthenticated", f"You are not logged in: {why}.")


def _same(kept: str, given: Any) -> bool:
    return isinstance(given, str) and hmac.compare_digest(kept.encode(), given.encode())
