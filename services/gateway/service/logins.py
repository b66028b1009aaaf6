"""Sessions of the dashboard: signed, so that nobody need keep them; see ADR 18."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import jwt
import structlog
from jwt.exceptions import PyJWTError

from services.gateway.domain.api_keys import Principal, StoredKey, still_good
from services.gateway.domain.problems import AwayError, Problem
from services.gateway.service.remembered import Remembered
from shared.clock import Clock

ALGORITHM = "HS256"  # our own key signs and verifies; tokens of others are never read here
SESSION, BEGUN = "assay:session", "assay:login"
LOGIN_WITHIN = timedelta(minutes=10)
MOST_COOKIE = 4096

log = structlog.get_logger()


class Ended(Protocol):
    """Remembers sessions that were ended before their time."""

    async def end_session(self, session_id: str, seconds: int) -> None:
        """A session is over."""

    async def session_ended(self, session_id: str) -> bool:
        """Whether it is."""


class Login(NamedTuple):
    """Who logged in, and until when."""

    who: Principal
    session_id: str
    expires_at: datetime


class Logins:
    """Issues, reads and ends sessions."""

    def __init__(
        self,
        secret: bytes,
        keys: Remembered[StoredKey],
        ended: Ended,
        now: Clock,
        new_id: Callable[[], UUID],
        lasts: timedelta,
    ) -> None:
        self._secret = secret
        self._keys = keys
        self._ended = ended
        self._now = now
        self._new_id = new_id
        self._lasts = lasts

    def issue(self, who: Principal) -> tuple[str, Login]:
        """A session for somebody who has just proven who they are."""
        login = Login(who, self._new_id().hex, (self._now() + self._lasts).replace(microsecond=0))
        claims = {
            "sid": login.session_id,
            "tenant": who.tenant_id,
            "key": who.key_id,
            "user": who.user,
            "may": sorted(who.permissions) if who.user is not None else [],
        }
        return self._signed(claims, SESSION, login.expires_at), login

    async def read(self, cookie: str) -> Login:
        """Whose session that is; a 401 problem when it is none, or has ended."""
        claims = self._unsigned(cookie, SESSION)
        if claims is None or await self._was_ended(claims["sid"]):
            raise _over()
        until = datetime.fromtimestamp(claims["exp"], self._now().tzinfo)
        return Login(await self._who(claims), claims["sid"], until)

    async def end(self, cookie: str) -> None:
        """Log out: everywhere at once, or while Redis is away in this browser only.

        Whoever brings the cookie may, also when the key behind it cannot be looked up.
        """
        claims = self._unsigned(cookie, SESSION)
        if claims is None:
            return  # it is none, or has ended by itself
        left_s = int(claims["exp"] - self._now().timestamp())
        try:
            await self._ended.end_session(claims["sid"], max(1, left_s))
        except AwayError as error:
            log.warning("session_ended_in_one_browser_only", why=str(error))

    def begin(self, claims: Mapping[str, Any]) -> str:
        """What a browser brings back from the provider."""
        return self._signed(claims, BEGUN, self._now() + LOGIN_WITHIN)

    def begun(self, cookie: str) -> dict[str, Any] | None:
        """What was begun; `None` when it is not ours or too old."""
        return self._unsigned(cookie, BEGUN)

    def _signed(self, claims: Mapping[str, Any], audience: str, until: datetime) -> str:
        return jwt.encode({**claims, "aud": audience, "exp": until}, self._secret, ALGORITHM)

    def _unsigned(self, cookie: str, audience: str) -> dict[str, Any] | None:
        """Claims that we signed for this purpose and whose time has not run out."""
        if len(cookie) > MOST_COOKIE:
            return None
        try:
            found: dict[str, Any] = jwt.decode(
                cookie,
                self._secret,
                algorithms=[ALGORITHM],
                audience=audience,
                options={"require": ["exp", "aud"]},
            )
        except PyJWTError:
            return None
        return found

    async def _who(self, claims: Mapping[str, Any]) -> Principal:
        """People as the provider named them; keys as they are by now."""
        if claims["user"] is not None:
            return Principal(claims["tenant"], "", frozenset(claims["may"]), claims["user"])
        stored = await self._keys.find(claims["key"])
        found = None if stored is None else still_good(stored, self._now())
        if found is None:
            raise _over()
        return found

    async def _was_ended(self, session_id: str) -> bool:
        try:
            return await self._ended.session_ended(session_id)
        except AwayError as error:
            # Reads go on without Redis; the signature and the end of the session still hold.
            log.warning("ended_sessions_not_known", why=str(error))
            return False


def _over() -> Problem:
    return Problem("unauthenticated", "The session has ended; log in again.")
