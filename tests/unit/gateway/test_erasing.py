"""Erasures as they are kept, told, and missed."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from prometheus_client import REGISTRY

from services.gateway.domain.erasures import ErasureRequest, asked, needles, reviewer
from services.gateway.domain.problems import AwayError
from services.gateway.service.erasing import ErasureTeller
from shared.privacy.names import Names

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
NAMES = Names(b"a secret of tests, long enough")
ID = UUID(int=5)


def kept(**body: Any) -> Any:
    request = ErasureRequest.model_validate(body)
    times = (NOON, NOON + timedelta(minutes=15))
    return asked(request, "acme", NAMES, (ID, "key:tests"), times)


def test_a_person_is_kept_under_the_pseudonym_and_marked_by_a_digest() -> None:
    one = kept(user_id="anna")
    pseudonym = NAMES.pseudonym("acme", "anna")
    assert one.subject == {"user_id": pseudonym}
    assert one.marked == {"user_id": NAMES.digest("acme", "user_id", pseudonym)}
    assert (one.kind, one.before) == ("user", NOON)


def test_a_filter_ends_at_the_request_at_the_latest() -> None:
    until = {"model_id": "m", "to": "2026-01-01T11:00:00Z"}
    assert kept(filter=until).before == NOON - timedelta(hours=1)
    assert kept(filter=until | {"to": "2027-01-01T11:00:00Z"}).before == NOON
    assert kept(filter=until).subject_hash != kept(filter={"model_id": "m"}).subject_hash


def test_needles_are_whole_texts_as_json_may_write_them() -> None:
    found = needles(ErasureRequest(user_id="änna"))
    assert found == sorted(['"änna"'.encode(), b'"\\u00e4nna"'])
    several = {"user_id": "anna", "model_id": "m"}
    assert needles(ErasureRequest.model_validate({"filter": several})) == []


def test_neither_letters_nor_reviews_go_where_only_some_time_is_meant() -> None:
    whole = ErasureRequest.model_validate({"filter": {"user_id": "anna"}})
    assert needles(whole) == [b'"anna"']
    assert reviewer(whole) == reviewer(ErasureRequest(user_id="anna")) == "anna"
    for name in ("from", "to"):
        some = {"user_id": "anna", name: "2026-01-01T11:00:00Z"}
        request = ErasureRequest.model_validate({"filter": some})
        assert needles(request) == []
        assert reviewer(request) is None
    assert reviewer(ErasureRequest(operation_id="anna")) is None


class Store:
    """Events to tell, and what is late."""

    def __init__(self, events: Sequence[Any] = (), late: Sequence[Any] = ()) -> None:
        self.events = list(events)
        self.marked: list[UUID] = []
        self._late = late

    async def add(self, *_: Any) -> dict[str, Any]:
        raise NotImplementedError

    async def late(self) -> Sequence[Any]:
        return self._late

    @asynccontextmanager
    async def relaying(self, most: int) -> AsyncIterator["Store"]:
        assert most > 0
        yield self

    async def told(self, tenant_id: str, events: Sequence[UUID]) -> None:
        assert tenant_id
        self.marked += events


def row(topic: str) -> dict[str, Any]:
    return {
        "tenant_id": "acme",
        "event_id": uuid4(),
        "topic": topic,
        "record_key": "k",
        "occurred_at": NOON,
        "body": "{}",
    }


async def test_each_event_is_told_on_its_topic_and_marked() -> None:
    store = Store([row("erasures.v1"), row("erasure-receipts.v1")])
    sent: list[str] = []

    async def publish(spec: Any, topic: str, events: Any, tenant_id: str, trace: Any) -> None:
        assert (len(events), tenant_id, trace) == (1, "acme", {})
        assert topic.endswith(spec.topic.value)
        sent.append(topic)

    await ErasureTeller(store, publish, "ai.").tell()
    assert sent == ["ai.erasures.v1", "ai.erasure-receipts.v1"]
    assert store.marked == [one["event_id"] for one in store.events]


async def test_what_was_not_acknowledged_is_not_marked() -> None:
    store = Store([row("erasures.v1")])

    async def publish(*_: Any) -> None:
        raise AwayError("kafka")

    await ErasureTeller(store, publish, "ai.").tell()
    assert store.marked == []


@pytest.mark.parametrize("count", [0, 2])
async def test_what_is_late_is_counted_and_named(
    count: int, capsys: pytest.CaptureFixture[str]
) -> None:
    late = {
        "tenant_id": "acme",
        "erasure_id": ID,
        "deadline": NOON,
        "missing": ["feedback/postgres"],
    }

    async def publish(*_: Any) -> None:
        raise NotImplementedError

    await ErasureTeller(Store(late=[late] * count), publish, "ai.").say_late()
    assert REGISTRY.get_sample_value("assay_erasures_late") == count
    assert capsys.readouterr().out.count("erasure_late") == count
