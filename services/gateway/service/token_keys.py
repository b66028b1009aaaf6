"""The provider's public keys: cached, asked for again when a token names one that is not known."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from itertools import chain
from typing import Any

import structlog
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from services.gateway.domain.problems import AwayError
from services.gateway.domain.tokens import TokenError

FRESH_S = 300.0
"""A key that the provider withdrew is taken at most this long."""
STALE_S = 86_400.0
"""And so long while the provider is away."""
AT_MOST_EVERY_S = 10.0
"""Whoever makes up ids of keys must not make us ask the provider for each."""
AWAY_EVERY_S = 1.0
"""While it does not answer."""
MOST_KEYS = 64
FAMILIES = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521", "EdDSA": "Ed25519"}

Fetch = Callable[[], Awaitable[Mapping[str, Any]]]

log = structlog.get_logger()


class TokenKeys:
    """Keys by id. One question at a time; while a new one is awaited, the old keys go on."""

    def __init__(self, fetch: Fetch, monotonic: Callable[[], float]) -> None:
        self._fetch = fetch
        self._monotonic = monotonic
        self._keys: dict[str | None, list[Mapping[str, Any]]] = {}
        self._made: dict[tuple[str | None, str], PyJWK] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._away = False
        self._asking = asyncio.Lock()

    async def key(self, kid: str | None, algorithm: str) -> PyJWK:
        """The key of that id, for that algorithm only.

        Raises `TokenError` when there is none, and `AwayError` when that cannot be known.
        """
        if self._age_s() >= FRESH_S or not self._knows(kid):
            await self._refresh(needed=not self._knows(kid) or self._age_s() >= STALE_S)
        if self._age_s() >= STALE_S or (self._away and not self._knows(kid)):
            raise AwayError("oidc", "the identity provider does not answer; try again shortly")
        return self._fitting(kid, algorithm)

    async def _refresh(self, *, needed: bool) -> None:
        if not needed and self._asking.locked():
            return
        async with self._asking:
            now = self._monotonic()
            wait_s = AWAY_EVERY_S if self._away else AT_MOST_EVERY_S
            if self._tried_at is not None and now - self._tried_at < wait_s:
                return
            self._tried_at = now
            try:
                self._take(await self._fetch())
            except AwayError as error:
                self._away = True
                log.warning("token_keys_not_fetched", why=str(error))
                return
            self._away, self._fetched_at = False, now

    def _take(self, document: Mapping[str, Any]) -> None:
        listed = document.get("keys")
        if not isinstance(listed, list):
            raise AwayError("oidc", "the identity provider answers no key set")
        found: dict[str | None, list[Mapping[str, Any]]] = {}
        for one in listed[:MOST_KEYS]:
            if isinstance(one, dict) and one.get("use", "sig") == "sig":
                kid = one.get("kid")
                found.setdefault(kid if isinstance(kid, str) else None, []).append(one)
        self._keys, self._made = found, {}

    def _fitting(self, kid: str | None, algorithm: str) -> PyJWK:
        made = self._made.get((kid, algorithm))
        if made is not None:
            return made
        # A token need not name its key where there is only one that it can mean.
        among = chain(*self._keys.values()) if kid is None else self._keys.get(kid, ())
        fitting = [one for one in among if _fits(one, algorithm)]
        if len(fitting) != 1:
            raise TokenError("no key of the provider fits it")
        try:
            made = PyJWK(dict(fitting[0]), algorithm=algorithm)
        except PyJWTError as error:
            raise TokenError("the provider's key cannot be read") from error
        self._made[kid, algorithm] = made
        return made

    def _knows(self, kid: str | None) -> bool:
        return bool(self._keys) if kid is None else kid in self._keys

    def _age_s(self) -> float:
        return STALE_S if self._fetched_at is None else self._monotonic() - self._fetched_at


def _fits(key: Mapping[str, Any], algorithm: str) -> bool:
    """A public key of the algorithm's family; secrets that sign and verify never are."""
    if key.get("kty") != FAMILIES.get(algorithm[:2]) or key.get("alg", algorithm) != algorithm:
        return False
    return CURVES.get(algorithm, key.get("crv")) == key.get("crv")
