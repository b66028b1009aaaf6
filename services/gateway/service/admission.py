"""Who asks: keys are looked up once and remembered for a short while."""

from typing import NamedTuple, Protocol

from services.gateway.domain.api_keys import Principal, StoredKey, admit, parse_key
from services.gateway.domain.problems import AwayError, Problem
from shared import clock
from shared.clock import Clock

FRESH_S = 20.0  # a revoked key works at most this long
FRESH_UNKNOWN_S = 2.0
# While Postgres is away, known keys go on for so long.
STALE_S = 600.0
MOST_REMEMBERED = 10_000


class KeyStore(Protocol):
    """Where keys are kept."""

    async def find_key(self, key_id: str) -> StoredKey | None:
        """A key by its id."""


class _Remembered(NamedTuple):
    key: StoredKey | None
    at: float


class Admission:
    """Turns an Authorization header into a principal."""

    def __init__(self, store: KeyStore, now: Clock) -> None:
        self._store = store
        self._now = now
        self._remembered: dict[str, _Remembered] = {}

    async def principal(self, authorization: str | None) -> Principal:
        """Whom the header proves; a 401 problem otherwise."""
        scheme, _, presented = (authorization or "").partition(" ")
        parsed = parse_key(presented.strip()) if scheme.lower() == "bearer" else None
        if parsed is None:
            raise Problem("unauthenticated", "Send an API key as `Authorization: Bearer assay_…`.")
        key_id, secret_hash = parsed
        stored = await self._find(key_id)
        found = None if stored is None else admit(stored, secret_hash, self._now())
        if found is None:
            raise Problem("unauthenticated", "The API key is unknown, expired or revoked.")
        return found

    async def _find(self, key_id: str) -> StoredKey | None:
        known = self._remembered.get(key_id)
        age_s = clock.monotonic() - known.at if known else STALE_S
        if known and age_s < (FRESH_S if known.key else FRESH_UNKNOWN_S):
            return known.key
        try:
            stored = await self._store.find_key(key_id)
        except AwayError:
            if known and known.key and age_s < STALE_S:
                return known.key
            raise
        if len(self._remembered) >= MOST_REMEMBERED:
            self._remembered.clear()
        self._remembered[key_id] = _Remembered(stored, clock.monotonic())
        return stored
