"""Wires who may come in."""

from datetime import timedelta
from secrets import token_bytes
from typing import NamedTuple
from uuid import uuid4

from fastapi import FastAPI

from services.gateway.domain.tokens import ClaimMap
from services.gateway.service.admission import Admission
from services.gateway.service.key_uses import KeyUses
from services.gateway.service.keys import Keys
from services.gateway.service.logins import Logins
from services.gateway.service.remembered import Remembered
from services.gateway.service.signing_in import Client as OidcClient
from services.gateway.service.signing_in import SigningIn
from services.gateway.service.token_keys import TokenKeys
from services.gateway.service.tokens import Tokens, Trust
from services.gateway.settings import GatewaySettings
from services.gateway.store.keys import PostgresKeys
from services.gateway.store.postgres import PostgresReads
from services.gateway.store.provider import Provider
from services.gateway.store.redis import RedisReads
from services.gateway.store.sessions import Sessions
from shared import clock
from shared.clock import utc_now
from shared.ids import new_id


class Access(NamedTuple):
    """Who may come in: keys, tokens of a provider, sessions of the dashboard."""

    admission: Admission
    keys: PostgresKeys
    keeping: Keys
    uses: KeyUses
    logins: Logins
    signing_in: SigningIn | None
    provider: Provider | None

    def install(self, app: FastAPI, public_url: str | None) -> None:
        """Make them known to the routes."""
        app.state.admission, app.state.keys = self.admission, self.keys
        app.state.key_keeping, app.state.logins = self.keeping, self.logins
        app.state.signing_in, app.state.public_url = self.signing_in, public_url

    async def close(self) -> None:
        """Close what was opened to the provider."""
        if self.provider is not None:
            await self.provider.close()


def access_of(
    settings: GatewaySettings, sessions: Sessions, store: PostgresReads, views: RedisReads
) -> Access:
    """How anybody comes in, by these settings."""
    known, keys = Remembered(store.find_key), PostgresKeys(sessions)
    uses = KeyUses(keys, utc_now)
    lasts = timedelta(seconds=settings.session_s)
    logins = Logins(settings.secret_for(b"session"), known, views, utc_now, uuid4, lasts)
    provider = settings.oidc_issuer and Provider(settings.oidc_issuer, settings.jwks_url)
    tokens = provider and Tokens(
        TokenKeys(provider.keys, clock.monotonic),
        _trust(settings),
        _claim_map(settings),
        Remembered(store.find_tenant),
    )
    return Access(
        Admission(known, uses, logins, tokens or None, utc_now),
        keys,
        Keys(keys, utc_now, new_id, token_bytes, known.forget),
        uses,
        logins,
        _signing_in(settings, provider, tokens) if provider and tokens else None,
        provider or None,
    )


def _trust(settings: GatewaySettings) -> Trust:
    return Trust(
        settings.oidc_issuer or "",
        settings.oidc_audience,
        settings.oidc_algorithms,
        settings.oidc_leeway_s,
    )


def _claim_map(settings: GatewaySettings) -> ClaimMap:
    return ClaimMap(
        settings.oidc_tenant_claim,
        settings.oidc_tenants,
        settings.oidc_tenant,
        settings.oidc_roles_claim,
        settings.oidc_roles,
    )


def _signing_in(settings: GatewaySettings, provider: Provider, tokens: Tokens) -> SigningIn | None:
    if settings.oidc_issuer is None or settings.oidc_client_id is None:
        return None
    kept = settings.oidc_client_secret
    secret = None if kept is None else kept.get_secret_value()
    client = OidcClient(settings.oidc_issuer, settings.oidc_client_id, secret, settings.oidc_scopes)
    return SigningIn(provider, client, tokens, token_bytes)
