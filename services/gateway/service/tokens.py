"""OIDC tokens: who signed them, for whom, when, and whom they name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jwt
from jwt.exceptions import (
    DecodeError,
    ExpiredSignatureError,
    ImmatureSignatureError,
    InvalidAudienceError,
    InvalidIssuerError,
    InvalidSignatureError,
    MissingRequiredClaimError,
    PyJWTError,
)

from services.gateway.domain.api_keys import Principal
from services.gateway.domain.problems import Problem
from services.gateway.domain.tokens import ClaimMap, TokenError, principal_of
from services.gateway.service.remembered import Remembered
from services.gateway.service.token_keys import TokenKeys

MOST_TOKEN = 8 * 1024
MOST_KID = 256
DOTS = 2
NEEDED = ["exp", "iss", "aud", "sub"]
WHY: Sequence[tuple[type[PyJWTError], str]] = (
    (ExpiredSignatureError, "it has expired"),
    (ImmatureSignatureError, "it is not valid yet"),
    (InvalidAudienceError, "it is for another audience"),
    (InvalidIssuerError, "it is of another issuer"),
    (InvalidSignatureError, "its signature is wrong"),
    (MissingRequiredClaimError, "a claim that it needs is missing"),
    (DecodeError, "it cannot be read"),
)


@dataclass(frozen=True, slots=True)
class Trust:
    """What a token must be to be believed."""

    issuer: str
    audience: str | None
    """Of bearer tokens; without one, none are taken."""
    algorithms: tuple[str, ...]
    leeway_s: int


class Tokens:
    """Turns a token into a principal."""

    def __init__(
        self,
        keys: TokenKeys,
        trust: Trust,
        claim_map: ClaimMap,
        tenants: Remembered[str],
    ) -> None:
        self._keys = keys
        self._trust = trust
        self._map = claim_map
        self._tenants = tenants

    async def principal(self, token: str) -> Principal:
        """Whom a bearer token proves; a 401 problem otherwise."""
        try:
            if self._trust.audience is None:
                raise TokenError("ASSAY_OIDC_AUDIENCE is not set here")
            return await self.named_by(await self.claims(token, self._trust.audience))
        except TokenError as error:
            raise Problem("unauthenticated", f"The token was not accepted: {error}.") from error

    async def named_by(self, claims: Mapping[str, Any]) -> Principal:
        """Whom verified claims name, of a tenant that exists; raises `TokenError`."""
        found = principal_of(claims, self._map)
        if await self._tenants.find(found.tenant_id) is None:
            raise TokenError("it names a tenant that is not known here")
        return found

    async def claims(self, token: str, audience: str) -> dict[str, Any]:
        """The claims of a token that holds; raises `TokenError`."""
        if len(token) > MOST_TOKEN:
            raise TokenError("it is too long")
        kid, algorithm = self._head(token)
        key = await self._keys.key(kid, algorithm)
        try:
            found: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=list(self._trust.algorithms),
                audience=audience,
                issuer=self._trust.issuer,
                leeway=self._trust.leeway_s,
                options={"require": NEEDED, "enforce_minimum_key_length": True},
            )
        except PyJWTError as error:
            raise TokenError(_why(error)) from error
        return found

    def _head(self, token: str) -> tuple[str | None, str]:
        """The key that it names and the algorithm, before anything of it is believed."""
        try:
            header = jwt.get_unverified_header(token)
        except PyJWTError as error:
            raise TokenError("it cannot be read") from error
        algorithm, kid = header.get("alg"), header.get("kid")
        if algorithm not in self._trust.algorithms:
            raise TokenError("its algorithm is not allowed here")
        if kid is not None and not (isinstance(kid, str) and 0 < len(kid) <= MOST_KID):
            raise TokenError("it cannot be read")
        return kid, str(algorithm)


def looks_like_token(presented: str) -> bool:
    """Three parts: what an API key never has."""
    return presented.count(".") == DOTS


def _why(error: PyJWTError) -> str:
    return next((why for kind, why in WHY if isinstance(error, kind)), "it does not hold")
