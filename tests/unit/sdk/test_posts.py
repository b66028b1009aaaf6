"""Posts to the gateway: within its bounds, and given up only where the events are to blame."""

import asyncio
import json
import logging
from typing import Any

import pytest

from assay_sdk import Assay, courier
from assay_sdk.events import Encoded
from assay_sdk.portions import portions
from assay_sdk.transports import HttpTransport, Later, Sent
from services.gateway.routes.bodies import MAX_BODY


class Proxy(HttpTransport):
    """A gateway behind something that takes `most` bytes; `statuses` come before its own."""

    def __init__(self, most: int = MAX_BODY, *statuses: int) -> None:
        super().__init__("http://localhost", "key")
        self.most, self.statuses = most, list(statuses)
        self.bodies: list[bytes] = []
        self.taken: list[int] = []

    def _exchange(self, path: str, body: bytes) -> tuple[int, str, bytes]:
        if self.statuses:
            return self.statuses.pop(0), "", b"<html>"
        self.bodies.append(body)
        if len(body) > self.most:
            return 413, "", b""
        numbers = [one["n"] for one in json.loads(body)]
        self.taken += numbers
        return 202, "", json.dumps({"accepted": len(numbers), "rejected": 0}).encode()


def event(number: int, size: int) -> Encoded:
    value = json.dumps({"n": number, "text": "x" * size}).encode()
    return Encoded("operations", b"", value, [])


def sent(transport: HttpTransport, *sizes: int) -> Sent:
    events = [event(number, size) for number, size in enumerate(sizes)]
    return asyncio.run(transport.send(events))


def test_no_body_is_larger_than_the_gateway_takes() -> None:
    proxy = Proxy()
    assert sent(proxy, *[60_000] * 100) == (100, 0, [])
    assert proxy.taken == list(range(100))
    assert max(len(body) for body in proxy.bodies) <= MAX_BODY


def test_what_somebody_on_the_way_finds_too_large_goes_in_halves() -> None:
    proxy = Proxy(most=3_000)
    assert sent(proxy, *[900] * 9) == (9, 0, [])
    assert proxy.taken == list(range(9))


def test_an_event_that_alone_is_too_large_is_refused_and_takes_no_other_with_it() -> None:
    proxy = Proxy(most=3_000)
    assert sent(proxy, *[100] * 5, 5_000, *[100] * 3) == (8, 1, [5])
    assert proxy.taken == [0, 1, 2, 3, 4, 6, 7, 8]


@pytest.mark.parametrize("status", [200, 301, 302, 401, 403, 404, 418, 429, 500, 503])
def test_an_answer_that_blames_no_event_destroys_none(
    status: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(courier, "FIRST_WAIT_S", 0.001)
    monkeypatch.setattr("assay_sdk.transports._seconds", lambda _: 0.0)
    tries = 2 * courier.MOST_ODD_TRIES
    monkeypatch.setattr(courier, "MOST_WAIT_S", 0.002)
    proxy = Proxy(MAX_BODY, *[status] * tries)
    assay = Assay(lambda: proxy, tenant_id="acme", mask=lambda fields: fields | {"n": 1})
    with caplog.at_level(logging.WARNING, "assay_sdk"):
        assay.log(model_id="m", success=True, response_time_ms=1)
        assert assay.close() == (1, 0, 0)
    assert [one.getMessage() for one in caplog.records] == [
        f"Assay: not delivered yet, trying again: HTTP {status}"
    ]


@pytest.mark.parametrize("status", [400, 422])
def test_an_answer_that_blames_the_events_is_final(status: int) -> None:
    assert sent(Proxy(MAX_BODY, status), 1, 1) == (0, 2, [0, 1])


@pytest.mark.parametrize(
    "said",
    [
        {"accepted": 1, "rejected": 0},
        {"accepted": "2", "rejected": 0},
        {"accepted": 2},
        ["?"],
        {"accepted": 0, "rejected": 2, "errors": [{"index": []}]},
    ],
    ids=str,
)
def test_an_answer_of_somebody_else_says_nothing_of_the_events(said: Any) -> None:
    class Strange(HttpTransport):
        def _exchange(self, path: str, body: bytes) -> tuple[int, str, bytes]:
            return 202, "", json.dumps(said).encode()

    with pytest.raises(Later) as raised:
        sent(Strange("http://localhost", "key"), 1, 1)
    assert not raised.value.is_odd


@pytest.mark.parametrize(
    ("sizes", "parts"),
    [
        ([], []),
        ([9], [[9]]),
        ([1, 1, 1, 1], [[1, 1, 1], [1]]),
        ([3, 3, 3], [[3, 3], [3]]),
        ([1, 9, 1], [[1], [9], [1]]),
    ],
    ids=str,
)
def test_portions_keep_the_order_and_both_bounds(sizes: list[int], parts: list[list[int]]) -> None:
    assert [sizes[part] for part in portions(sizes, 3, 6)] == parts
