"""What a stream tells of changes, in which order, to whom and until when."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any

import pytest

from services.gateway.domain.permissions import VIEWER
from services.gateway.domain.problems import AwayError, Problem
from services.gateway.domain.stream import (
    Board,
    Event,
    Kind,
    Pending,
    Rhythm,
    StreamBounds,
    Told,
    Version,
    Wanted,
    kinds_for,
    model_told,
)
from services.gateway.service.streams import Listener, Streams
from tests.support.waiting import eventually

ALL = Wanted(frozenset(Kind))


def line(name: str = "m", **said: Any) -> Told:
    return model_told({"model_id": name, "sample": 1} | said)


def alert(name: str, version: int, state: str = "firing", model: str = "m") -> Told:
    body = {"id": name, "state": state, "version": version}
    return Told(Kind.ALERTS, name, frozenset({model}), body, (version,), state == "resolved")


def test_only_what_is_new_is_told() -> None:
    board = Board()
    assert board.put([line(), line("n")]) == [line(), line("n")]
    assert board.put([line(), line("n", sample=2)]) == [line("n", sample=2)]
    assert list(board.all()) == [line(), line("n", sample=2)]


def test_a_later_look_at_the_same_is_no_news_but_is_what_holds() -> None:
    board = Board()
    board.put([line(as_of=1)])
    assert board.put([line(as_of=2)]) == []
    assert list(board.all()) == [line(as_of=2)]


def test_what_is_over_is_told_once_more_and_to_nobody_who_comes_later() -> None:
    board, over = Board(), alert("a", 2, "resolved")
    board.put([alert("a", 1)])
    assert board.versions(Kind.ALERTS) == {"a": (1,)}
    assert board.put([over]) == [over]
    assert list(board.all()) == []
    assert board.versions(Kind.ALERTS) == {}


def test_a_model_that_is_listed_no_more_is_gone() -> None:
    board = Board()
    board.put([alert("m", 1)])
    board.put_all(Kind.METRICS, [line(), line("n")])
    [gone] = board.put_all(Kind.METRICS, [line("n")])
    assert gone.event == Event(("metrics", "m"), "gone", {"kind": "metrics", "id": "m"})
    assert list(board.all()) == [alert("m", 1), line("n")]


def test_of_each_object_only_the_newest_waits() -> None:
    pending = Pending()
    for number in range(1_000):
        for name in "abc":
            pending.put(line(name, sample=number).event)
    assert len(pending) == 3
    pending.put(line("a", sample="newest").event)
    assert [(one.key[1], one.body["sample"]) for one in pending.take(2)] == [("b", 999), ("c", 999)]
    assert [one.body["sample"] for one in pending.take(2)] == ["newest"]
    assert pending.take(2) == []


def test_a_listener_hears_only_what_it_wants() -> None:
    of_m = Wanted(frozenset({Kind.ALERTS}), "m")
    assert of_m.takes(alert("a", 1))
    assert not of_m.takes(alert("a", 1, model="n"))
    assert not of_m.takes(line())


def test_a_stream_says_now_and_then_that_it_lives_and_ends_in_time() -> None:
    rhythm = Rhythm(began_at=100, lasts_s=40, heartbeat_s=15)
    assert (rhythm.wait_s(100), rhythm.is_silent(114), rhythm.is_silent(115)) == (15, False, True)
    rhythm.spoke_at = 130
    assert (rhythm.wait_s(130), rhythm.is_silent(139), rhythm.is_over(139)) == (10, False, False)
    assert (rhythm.wait_s(141), rhythm.is_over(140)) == (0, True)


def test_kinds_follow_what_the_credential_permits() -> None:
    assert kinds_for(None, VIEWER) == set(Kind)
    assert kinds_for(None, {"metrics:read"}) == {Kind.METRICS}
    assert kinds_for("alerts,metrics", VIEWER) == {Kind.ALERTS, Kind.METRICS}
    with pytest.raises(Problem, match="alerts:read"):
        kinds_for("metrics,alerts", {"metrics:read"})


@pytest.mark.parametrize("asked", ["", "metric", "metrics,", "metrics,Alerts"])
def test_kinds_that_are_none_are_refused_by_name(asked: str) -> None:
    with pytest.raises(Problem) as refused:
        kinds_for(asked, VIEWER)
    assert (refused.value.status, refused.value.errors[0]["pointer"]) == (422, "/kinds")


class Stores:
    """Both, by hand."""

    def __init__(self) -> None:
        self.lines: dict[str, dict[str, Any]] = {}
        self.alerts: list[Told] = []
        self.away: set[str] = set()
        self.looks = 0

    async def models(self, _: str) -> dict[str, Any]:
        self.looks += 1
        if "redis" in self.away:
            raise AwayError("redis")
        return self.lines

    async def changed(
        self, _: str, alerts: Mapping[str, Version], verdicts: Mapping[str, Version]
    ) -> list[Told]:
        del verdicts
        if "postgres" in self.away:
            raise ConnectionResetError  # also what no store should raise ends nothing
        return [one for one in self.alerts if alerts.get(one.id) != one.version]


def streams(stores: Stores, most: int = 10, most_of_tenant: int = 10) -> Streams:
    bounds = StreamBounds(most, most_of_tenant, lasts_s=60)
    return Streams(stores, stores, bounds, every_s=0.01)


async def heard(listener: Listener) -> list[Event]:
    await listener.news(10)
    return listener.take(100)


async def test_first_comes_what_holds_then_what_changes() -> None:
    stores = Stores()
    stores.lines, stores.alerts = {"m": dict(line().body)}, [alert("a", 1)]
    async with streams(stores).opened("acme", ALL) as listener:
        assert {one.name for one in listener.take(100)} == {"metrics", "alert"}
        stores.alerts = [alert("a", 2, "resolved")]
        [changed] = await heard(listener)
        assert changed.body["state"] == "resolved"


async def test_all_of_a_tenant_share_one_look_and_nobody_looks_for_nobody() -> None:
    stores = Stores()
    hub = streams(stores)
    async with hub.opened("acme", ALL), hub.opened("acme", ALL):
        assert len(hub._feeds) == 1
        await eventually(lambda: stores.looks > 2, why="it looks again and again")
    assert hub._feeds == {}
    before = stores.looks
    await asyncio.sleep(0)
    assert stores.looks == before


async def test_a_store_that_is_away_is_named_and_heard_of_again() -> None:
    stores = Stores()
    stores.lines, stores.alerts = {"m": dict(line().body)}, [alert("a", 1)]
    async with streams(stores).opened("acme", ALL) as listener:
        listener.take(100)
        stores.away = {"postgres"}
        assert [one.body for one in await heard(listener)] == [{"stores": ["postgres"]}]
        stores.alerts, stores.away = [alert("a", 2)], set()
        events = {one.name: one.body for one in await heard(listener)}
        if "away" not in events:
            events |= {one.name: one.body for one in await heard(listener)}
        assert events["away"] == {"stores": []}
        assert events["alert"]["version"] == 2


async def test_a_stream_that_could_tell_nothing_does_not_begin() -> None:
    stores = Stores()
    stores.away = {"redis"}
    hub = streams(stores)
    with pytest.raises(AwayError):
        async with hub.opened("acme", Wanted(frozenset({Kind.METRICS}))):
            pass
    async with hub.opened("acme", ALL) as listener:
        assert [one.body for one in listener.take(9)] == [{"stores": ["redis"]}]
    assert hub._feeds == {}


async def test_there_are_only_so_many_of_a_tenant_and_of_all() -> None:
    hub = streams(Stores(), most=3, most_of_tenant=2)
    async with AsyncExitStack() as stack:
        for tenant in ("acme", "acme", "globex"):
            await stack.enter_async_context(hub.opened(tenant, ALL))
        for tenant, status in (("acme", 429), ("globex", 503)):
            with pytest.raises(Problem) as refused:
                await stack.enter_async_context(hub.opened(tenant, ALL))
            assert (refused.value.status, "Retry-After" in refused.value.headers) == (status, True)
    async with hub.opened("acme", ALL):
        pass


async def test_a_process_that_stops_ends_all_and_takes_no_more() -> None:
    hub = streams(Stores())
    async with hub.opened("acme", ALL) as listener:
        hub.end()
        await listener.over(10)
        assert listener.ended == "shutdown"
        with pytest.raises(Problem, match="about to stop"):
            async with hub.opened("acme", ALL):
                pass
