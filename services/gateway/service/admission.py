"""Who asks: by an API key, a token of the provider, or a session of the dashboard."""

from services.gateway.domain.api_keys import Principal, StoredKey, admit, parse_key
from services.gateway.domain.problems import Problem
from services.gateway.service.key_uses import KeyUses
from services.gateway.service.logins import Logins
from services.gateway.service.remembered import Remembered
from services.gateway.service.tokens import Tokens, looks_like_token
from shared.clock import Clock

BY_KEY = "Send an API key as `Authorization: Bearer assay_…`."
BY_BOTH = "Send an API key or a token of the provider as `Authorization: Bearer …`."


class Admission:
    """Turns what a request presents into a principal."""

    def __init__(
        self,
        keys: Remembered[StoredKey],
        uses: KeyUses,
        logins: Logins,
        tokens: Tokens | None,
        now: Clock,
    ) -> None:
        self._keys = keys
        self.uses = uses
        self._logins = logins
        self._tokens = tokens
        self._now = now

    async def principal(self, authorization: str | None) -> Principal:
        """Whom the header proves; a 401 problem otherwise."""
        scheme, _, rest = (authorization or "").partition(" ")
        presented = rest.strip() if scheme.lower() == "bearer" else ""
        if self._tokens is not None and looks_like_token(presented):
            return await self._tokens.principal(presented)
        return await self.holder(presented)

    async def holder(self, presented: str) -> Principal:
        """Whose key that is; a 401 problem otherwise."""
        parsed = parse_key(presented)
        if parsed is None:
            raise Problem("unauthenticated", BY_BOTH if self._tokens else BY_KEY)
        key_id, secret_hash = parsed
        stored = await self._keys.find(key_id)
        found = None if stored is None else admit(stored, secret_hash, self._now())
        if found is None:
            raise Problem("unauthenticated", "The API key is unknown, expired or revoked.")
        self.uses.note(found)
        return found

    async def of_session(self, cookie: str) -> Principal:
        """Who logged in; a 401 problem once the session, or the key behind it, has ended."""
        who = (await self._logins.read(cookie)).who
        self.uses.note(who)
        return who
