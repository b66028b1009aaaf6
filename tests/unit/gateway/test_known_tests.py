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
    postgres.rows = [row(kept(1))]
    await known.refresh()
    known.put(kept(2, state=State.PAUSED))
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
    assert await known.by_key("acme", "checkout-model") == kept()


async def test_while_nobody_can_look_nobody_says_that_a_test_does_not_exist(
    postgres: Postgres,
) -> None:
    known = KnownTests(postgres.changed)
    await known.refresh()
    assert await known.by_id("acme", TEST_ID) is None
    postgres.is_away = True
    with pytest.raises(AwayError):
        await known.by_id("acme", TEST_ID)
    with pytest.raises(AwayError):
        await known.by_key("acme", "checkout-model")
    postgres.is_away, postgres.rows = False, [row(kept())]  # made at another gateway meanwhile
    assert await known.by_id("acme", TEST_ID) == kept()
    assert await known.by_id("acme", uuid4()) is None


async def test_a_failure_a_moment_ago_is_no_answer_either(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = KnownTests(postgres.changed)
    await known.refresh()
    monkeypatch.setattr(known_tests, "LOOK_AGAIN_AFTER_S", 3_600)
    assert await known.by_id("acme", TEST_ID) is None
    postgres.is_away = True
    with pytest.raises(AwayError):
        await known.refresh()
    with pytest.raises(AwayError):
        await known.by_id("acme", TEST_ID)
    assert len(postgres.asked) == 2


async def test_all_is_loaded_anew_now_and_then_and_what_is_gone_is_forgotten(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, back, stays = UUID(int=7), UUID(int=8), kept()
    postgres.rows = [row(kept(test_id=gone, key="gone")), row(kept(9, test_id=back, key="back"))]
    postgres.rows.append(row(stays))
    known = KnownTests(postgres.changed)
    await known.refresh()
    postgres.rows = []
    await known.refresh()
    assert len(await known.of("acme")) == 3, "what has not changed is not answered"
    monkeypatch.setattr(known_tests, "RELOAD_EVERY_S", 0)
    # A server that was put back to an older time says an older thing of one of them.
    older = kept(5, test_id=back, key="back", state=State.PAUSED)
    postgres.rows = [row(older), row(stays)]
    await known.refresh()
    assert postgres.asked[-1] is None
    assert await known.of("acme") == [older, stays]
    assert await known.by_key("acme", "gone") is None


async def test_what_is_changed_here_while_all_is_loaded_is_not_forgotten(
    postgres: Postgres,
) -> None:
    known = KnownTests(postgres.changed)
    new = kept(3, test_id=UUID(int=7), key="new")

    async def slow(since: datetime | None) -> Sequence[dict[str, Any]]:
        known.put(new)
        known.put(kept(3, state=State.PAUSED))
        return [row(kept())]

    known._load = slow
    await known.refresh()
    assert await known.of("acme") == [kept(3, state=State.PAUSED), new]


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


async def test_a_row_that_cannot_be_read_is_told_of_once(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(known_tests.log, "error", lambda what, **_: said.append(what))
    monkeypatch.setattr(known_tests, "RELOAD_EVERY_S", 0)
    strange = row(kept(3)) | {"body": '{"from": "later"}'}
    postgres.rows = [strange]
    known = KnownTests(postgres.changed)
    for _ in range(3):
        await known.refresh()
    assert said == ["unreadable_test"]
    postgres.rows = [row(kept(4))]
    await known.refresh()
    assert await known.of("acme") == [kept(4)]
    postgres.rows = [strange | {"updated_at": NOON + timedelta(minutes=5)}]
    await known.refresh()
    assert said == ["unreadable_test"] * 2
    assert await known.of("acme") == [kept(4)], "it stays as it was known"
