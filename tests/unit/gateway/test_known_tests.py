"""The copy that units are assigned by: never older than what it was, never without a word."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.gateway.domain.problems import AwayError
from services.gateway.service import known_tests
from services.gateway.service.known_tests import KnownTests
from shared.experiments.lifecycle import State
from tests.support.experiments import NOON
from tests.unit.gateway.given import TEST_ID, kept, row


class Postgres:
    """Answers what it is given, unless it is away."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.asked: list[datetime | None] = []
        self.is_away = False

    async def changed(self, since: datetime | None) -> Sequence[dict[str, Any]]:
        self.asked.append(since)
        if self.is_away:
            raise AwayError("postgres")
        return self.rows


@pytest.fixture
def postgres(monkeypatch: pytest.MonkeyPatch) -> Postgres:
    monkeypatch.setattr(known_tests, "LOOK_AGAIN_AFTER_S", 0)
    return Postgres()


async def test_a_row_is_read_as_it_was_kept(postgres: Postgres) -> None:
    postgres.rows = [row(kept())]
    known = KnownTests(postgres.changed)
    assert await known.by_id("acme", TEST_ID) == kept()
    assert await known.by_key("acme", "checkout-model") == kept()
    assert await known.of("acme") == [kept()]
    assert await known.by_id("globex", TEST_ID) is None


async def test_only_what_changed_is_asked_for_again(postgres: Postgres) -> None:
    known = KnownTests(postgres.changed)
    await known.refresh()
    postgres.rows = [row(kept(5))]
    await known.refresh()
    await known.refresh()
    assert postgres.asked == [None, None, NOON + timedelta(minutes=4)]


async def test_an_older_row_never_takes_the_place_of_a_newer(postgres: Postgres) -> None:
    known = KnownTests(postgres.changed)
    known.put(kept(2, state=State.PAUSED))
    postgres.rows = [row(kept(1))]
    await known.refresh()
    found = await known.by_id("acme", TEST_ID)
    assert found is not None
    assert found.state is State.PAUSED


async def test_what_was_known_holds_while_postgres_is_away(postgres: Postgres) -> None:
    known = KnownTests(postgres.changed)
    postgres.is_away = True
    with pytest.raises(AwayError):
        await known.of("acme")
    postgres.is_away, postgres.rows = False, [row(kept())]
    assert await known.of("acme")
    postgres.is_away = True
    assert await known.by_id("acme", TEST_ID) == kept()
    assert await known.by_id("acme", uuid4()) is None


async def test_a_key_goes_over_from_one_draft_to_another(postgres: Postgres) -> None:
    known = KnownTests(postgres.changed)
    other = UUID(int=7)
    known.put(kept(0, key="one"))
    known.put(kept(2, key="one", test_id=other))
    known.put(kept(1, key="two"))
    postgres.rows = []
    by_key = {key: await known.by_key("acme", key) for key in ("one", "two")}
    assert {key: test and test.test_id for key, test in by_key.items()} == {
        "one": other,
        "two": TEST_ID,
    }


async def test_a_row_of_a_newer_release_leaves_the_others_alone(postgres: Postgres) -> None:
    strange = row(kept(3, test_id=UUID(int=7), key="strange")) | {"body": '{"from": "later"}'}
    postgres.rows = [strange, row(kept())]
    known = KnownTests(postgres.changed)
    assert [one.test_id for one in await known.of("acme")] == [TEST_ID]
