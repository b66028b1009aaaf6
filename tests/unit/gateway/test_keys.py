"""Who may give what to whom, and how long a key is good."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from services.gateway.domain.api_keys import StoredKey, admit
from services.gateway.domain.keys import (
    KeyWanted,
    RotationWanted,
    granted,
    key_view,
    refuse_more_than,
    successor_ends_at,
)
from services.gateway.domain.permissions import ADMIN, AGENT, ROLES, VIEWER
from services.gateway.domain.problems import AwayError, Problem
from services.gateway.service import remembered
from services.gateway.service.remembered import FRESH_S, MOST, STALE_S, Remembered
from tests.support.experiments import NOON

STORED = StoredKey("acme", "aaaaaaaaaaaa", VIEWER, b"h" * 32, None, None)
ROW = {
    "id": uuid4(),
    "key_id": "aaaaaaaaaaaa",
    "name": "k",
    "role": "viewer",
    "permissions": ["metrics:read"],
    "created_at": NOON,
    "created_by": "key:one",
    "expires_at": NOON + timedelta(days=30),
    "revoked_at": None,
    "last_used_at": None,
    "replaced_by": None,
}


@pytest.mark.parametrize("role", ROLES)
def test_a_maker_gives_what_it_has_and_nothing_else(role: str) -> None:
    refuse_more_than(ROLES[role], ROLES[role])
    for permission in ADMIN - ROLES[role]:
        with pytest.raises(Problem) as found:
            refuse_more_than(ROLES[role], {permission})
        assert found.value.status == 403
        assert permission in found.value.detail


@pytest.mark.parametrize(
    "body",
    [
        {"name": "k"},
        {"name": "k", "role": "agent", "permissions": ["metrics:read"]},
        {"name": "k", "role": "root"},
        {"name": "k", "permissions": []},
        {"name": "k", "permissions": ["metrics:read", "everything"]},
        {"name": "", "role": "agent"},
        {"name": "k", "role": "agent", "tenant_id": "globex"},
        {"name": "k", "role": "agent", "expires_at": "2030-01-01T00:00:00"},
    ],
)
def test_a_key_says_either_a_role_or_permissions_that_exist(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        KeyWanted.model_validate(body)


def test_permissions_are_said_once_and_in_order() -> None:
    wanted = KeyWanted.model_validate(
        {"name": "k", "permissions": ["metrics:read", "alerts:read", "metrics:read"]}
    )
    assert wanted.permissions == ["alerts:read", "metrics:read"]
    assert wanted.grants() == {"alerts:read", "metrics:read"}


def test_a_key_with_a_role_has_what_the_role_has_today() -> None:
    assert granted("agent", frozenset({"operations:write"})) == AGENT
    assert granted(None, frozenset({"metrics:read"})) == {"metrics:read"}
    assert granted("of-a-later-version", frozenset({"metrics:read"})) == {"metrics:read"}


def test_revoked_is_revoked_also_by_a_clock_that_is_ahead_and_expiry_is_sharp() -> None:
    ahead = replace(STORED, revoked_at=NOON + timedelta(minutes=3))
    assert admit(ahead, STORED.secret_hash, NOON) is None
    ends = replace(STORED, expires_at=NOON)
    assert admit(ends, STORED.secret_hash, NOON) is None
    assert admit(ends, STORED.secret_hash, NOON - timedelta(microseconds=1)) is not None
    assert admit(STORED, b"x" * 32, NOON) is None


def test_a_successor_lives_as_long_as_its_predecessor_was_to() -> None:
    now = NOON + timedelta(days=29)
    assert successor_ends_at(ROW, RotationWanted(), now) == now + timedelta(days=30)
    assert successor_ends_at(ROW | {"expires_at": None}, RotationWanted(), now) is None


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "active"),
        ({"expires_at": NOON}, "expired"),
        ({"expires_at": NOON, "revoked_at": NOON}, "revoked"),
    ],
)
def test_a_key_is_shown_without_what_proves_it(changes: dict[str, Any], state: str) -> None:
    shown = key_view(ROW | changes, NOON)
    assert shown["state"] == state
    assert shown["prefix"] == "assay_aaaaaaaaaaaa"
    assert shown["permissions"] == sorted(VIEWER)
    assert not {"secret_hash", "key_id", "key"} & shown.keys()


class Store:
    """One key, or nobody who would know."""

    def __init__(self) -> None:
        self.key: StoredKey | None = STORED
        self.away = False
        self.asked = 0

    async def find(self, _: str) -> StoredKey | None:
        self.asked += 1
        if self.away:
            raise AwayError("postgres")
        return self.key


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """The monotonic clock, to be moved."""
    clock = {"now": 1000.0}
    monkeypatch.setattr(remembered.clock, "monotonic", lambda: clock["now"])
    return clock


async def test_a_revoked_key_is_seen_as_such_within_a_minute(at: dict[str, float]) -> None:
    assert FRESH_S <= 60
    store = Store()
    keys = Remembered(store.find)
    assert await keys.find("a") == STORED
    store.key = None
    at["now"] += FRESH_S - 1
    assert await keys.find("a") == STORED
    at["now"] += 1
    assert await keys.find("a") is None
    assert store.asked == 2


async def test_a_look_up_that_lasted_is_of_when_it_was_asked(at: dict[str, float]) -> None:
    store = Store()

    async def slow(name: str) -> StoredKey | None:
        found = await store.find(name)
        at["now"] += 10
        return found

    keys = Remembered(slow)
    await keys.find("a")
    at["now"] += FRESH_S - 10
    await keys.find("a")
    assert store.asked == 2


async def test_who_is_known_goes_on_for_a_while_without_the_store(at: dict[str, float]) -> None:
    store = Store()
    keys = Remembered(store.find)
    await keys.find("a")
    store.away = True
    at["now"] += STALE_S - 1
    assert await keys.find("a") == STORED
    at["now"] += 1
    for name in ("a", "b"):
        with pytest.raises(AwayError):
            await keys.find(name)


async def test_made_up_names_drive_out_nobody_who_is_known(at: dict[str, float]) -> None:
    store = Store()

    async def find(name: str) -> StoredKey | None:
        return await store.find(name) if name == "a" else None

    keys = Remembered(find)
    await keys.find("a")
    for number in range(2 * MOST):
        assert await keys.find(f"made-up-{number}") is None
    store.away = True
    at["now"] += FRESH_S
    assert await keys.find("a") == STORED


async def test_what_is_forgotten_while_it_is_looked_up_is_not_remembered(
    at: dict[str, float],
) -> None:
    del at
    store = Store()

    async def find(name: str) -> StoredKey | None:
        found = await store.find(name)
        if found is not None:  # and right after it was read, it is revoked
            store.key = None
            keys.forget(name)
        return found

    keys = Remembered(find)
    await keys.find("a")
    assert await keys.find("a") is None


async def test_what_is_forgotten_is_looked_up_anew(at: dict[str, float]) -> None:
    del at
    store = Store()
    keys = Remembered(store.find)
    await keys.find("a")
    store.key = None
    keys.forget("a")
    assert await keys.find("a") is None
