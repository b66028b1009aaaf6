"""Sessions end, and settings of a provider make sense."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from services.gateway.domain.api_keys import Principal
from services.gateway.domain.problems import AwayError, Problem
from services.gateway.service.logins import Logins
from services.gateway.service.remembered import Remembered
from services.gateway.settings import GatewaySettings
from services.gateway.store.provider import is_safe

ADA = Principal("acme", "", frozenset({"metrics:read"}), "ada")
NEEDED: dict[str, Any] = {
    "kafka_bootstrap_servers": "k:1",
    "redis_url": "redis://r",
    "postgres_dsn": "postgresql://p",
    "secret_key": "x" * 32,
}


class Memory:
    """Ended sessions; may be away."""

    def __init__(self) -> None:
        self.ended: set[str] = set()
        self.away = False

    async def end_session(self, session_id: str, seconds: int) -> None:
        if self.away:
            raise AwayError("redis")
        assert seconds > 0
        self.ended.add(session_id)

    async def session_ended(self, session_id: str) -> bool:
        if self.away:
            raise AwayError("redis")
        return session_id in self.ended


async def nobody(_: str) -> None:
    return None


def logins(memory: Memory, *, ago: timedelta = timedelta(), secret: bytes = b"s" * 32) -> Logins:
    return Logins(
        secret,
        Remembered(nobody),
        memory,
        lambda: datetime.now(UTC) - ago,
        uuid4,
        timedelta(hours=8),
    )


async def test_a_session_lasts_as_long_as_set() -> None:
    memory = Memory()
    for minutes, good in ((479, True), (481, False)):
        cookie, _ = logins(memory, ago=timedelta(minutes=minutes)).issue(ADA)
        if good:
            assert (await logins(memory).read(cookie)).who == ADA
        else:
            with pytest.raises(Problem):
                await logins(memory).read(cookie)


async def test_another_installations_session_is_none() -> None:
    cookie, _ = logins(Memory(), secret=b"t" * 32).issue(ADA)
    with pytest.raises(Problem):
        await logins(Memory()).read(cookie)


async def test_without_redis_sessions_go_on_until_they_end() -> None:
    memory = Memory()
    cookie, _ = logins(memory).issue(ADA)
    await logins(memory).end(cookie)
    with pytest.raises(Problem):
        await logins(memory).read(cookie)
    memory.away = True
    assert (await logins(memory).read(cookie)).who == ADA


async def test_two_logins_are_two_sessions() -> None:
    memory = Memory()
    (first, _), (cookie, _) = logins(memory).issue(ADA), logins(memory).issue(ADA)
    await logins(memory).end(first)
    assert (await logins(memory).read(cookie)).who == ADA


async def test_logging_out_needs_neither_the_key_behind_a_session_nor_redis() -> None:
    memory = Memory()
    by_key = Principal("acme", "aaaaaaaaaaaa", frozenset({"metrics:read"}))
    cookie, login = logins(memory).issue(by_key)  # nobody knows such a key
    await logins(memory).end(cookie)
    assert memory.ended == {login.session_id}
    memory.away = True
    await logins(memory).end(logins(memory).issue(ADA)[0])
    await logins(memory).end("no session")


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"oidc_audience": "a"}, "oidc_issuer"),
        ({"jwks_url": "https://p/keys"}, "oidc_issuer"),
        ({"oidc_issuer": "https://p"}, "oidc_issuer"),
        ({"oidc_issuer": "https://p", "oidc_audience": "a", "oidc_algorithms": "none"}, "oidc_alg"),
        ({"oidc_algorithms": "RS256,HS256"}, "oidc_algorithms"),
        ({"oidc_algorithms": ""}, "oidc_algorithms"),
        ({"oidc_roles": {"ops": "root"}}, "oidc_roles"),
        ({"oidc_tenants": {"org": "Not A Tenant"}}, "oidc_tenants"),
        ({"public_url": "https://x/path"}, "public_url"),
        ({"public_url": "assay.example"}, "public_url"),
        ({"session_s": 0}, "session_s"),
    ],
)
def test_settings_that_would_let_the_wrong_ones_in_are_refused(
    wrong: dict[str, Any], named: str
) -> None:
    with pytest.raises(ValidationError) as found:
        GatewaySettings(**NEEDED, **wrong)
    assert named in str(found.value)


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "OIDC_ISSUER": "https://p",
        "OIDC_AUDIENCE": "a",
        "OIDC_ALGORITHMS": "ES256, EdDSA",
        "OIDC_ROLES": '{"ops": "operator"}',
    }.items():
        monkeypatch.setenv(f"ASSAY_{name}", value)
    found = GatewaySettings(**NEEDED)
    assert found.oidc_algorithms == ("ES256", "EdDSA")
    assert found.oidc_roles == {"ops": "operator"}


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://p.example/keys", True),
        ("http://127.0.0.1:9/keys", True),
        ("http://[::1]/keys", True),
        ("http://localhost/keys", True),
        ("http://p.example/keys", False),
        ("http://127.0.0.1.evil.example/keys", False),
        ("file:///etc/passwd", False),
        ("https:///keys", False),
    ],
)
def test_a_provider_is_asked_where_nobody_listens_in(url: str, safe: bool) -> None:
    assert is_safe(url) == safe
