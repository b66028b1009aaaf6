"""The sending thread outlives whatever a transport raises, counts it, and says so once."""

import asyncio
import http.client
import logging
import threading
from collections.abc import Sequence

import pytest

from assay_sdk import Assay, sender
from assay_sdk.events import Encoded
from assay_sdk.transports import HttpTransport, Sent
from tests.unit.sdk.test_client import EVERYBODY, Gateway, Sink, client, partly, told_of


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "FIRST_WAIT_S", 0.001)


class Odd(Sink):
    """Raises what it is given, then works; a closed one raises too."""

    def __init__(self, *errors: BaseException) -> None:
        super().__init__()
        self.errors = list(errors)

    async def send(self, events: Sequence[Encoded]) -> Sent:
        if self.errors:
            raise self.errors.pop(0)
        return await super().send(events)

    async def close(self) -> None:
        raise RuntimeError("closed twice")


@pytest.mark.parametrize(
    "error",
    [
        ValueError("an odd value"),
        UnicodeEncodeError("idna", "x", 0, 1, "label too long"),
        http.client.BadStatusLine("?"),
        ConnectionResetError(),
        BrokenPipeError(),
        KeyError("accepted"),
        asyncio.CancelledError(),
    ],
    ids=repr,
)
def test_an_odd_error_costs_a_try_and_nothing_else(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    sink = Odd(error, error)
    assay = client(sink)
    with caplog.at_level(logging.WARNING, "assay_sdk"):
        assay.assignment(EVERYBODY, "u-1")
        assert assay.flush().complete
        assay.assignment(EVERYBODY, "u-2")
        assert assay.close().complete
    assert told_of(sink) == ["u-1", "u-2"]
    assert assay.counters.read() == {"sent": 2, "transport_errors": 2}
    assert len([one for one in caplog.records if one.exc_info]) == 1


def test_events_that_are_to_blame_are_dropped_in_the_end_and_those_after_them_go_out() -> None:
    sink = Odd(*[ValueError("these")] * sender.MOST_ODD_TRIES)
    assay = client(sink)
    assay.assignment(EVERYBODY, "u-1")
    assert assay.flush() == (0, 1, 0)
    for unit in ("u-1", "u-2"):  # what was dropped is told at the next evaluation
        assay.assignment(EVERYBODY, unit)
    assert assay.close().delivered == 2
    assert told_of(sink) == ["u-1", "u-2"]
    assert assay.counters.read()["dropped:failed"] == 1


def test_who_is_away_is_waited_for_however_often_it_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sender, "MOST_WAIT_S", 0.002)
    sink = Odd(*[ConnectionRefusedError()] * (3 * sender.MOST_ODD_TRIES))
    assay = client(sink)
    assay.assignment(EVERYBODY, "u-1")
    assert assay.flush().complete
    assay.close()


def test_a_transport_that_cannot_be_made_at_first_is_made_later() -> None:
    sink, refusals = Sink(), [ValueError("not yet"), OSError("not yet")]

    def made() -> Sink:
        if refusals:
            raise refusals.pop()
        return sink

    assay = Assay(made, tenant_id="acme")
    assay.assignment(EVERYBODY, "u-1")
    assert assay.close().complete
    assert told_of(sink) == ["u-1"]


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b"{}"])
def test_an_answer_that_cannot_be_read_is_asked_for_again(content: bytes) -> None:
    class Strange(Gateway):
        def _exchange(self, path: str, body: bytes) -> tuple[int, str, bytes]:
            if not self.posted:
                self.posted.append([])
                return 202, "", content
            return super()._exchange(path, body)

    gateway = Strange((202, partly(of=1)))
    assay = Assay(lambda: gateway, tenant_id="acme")
    assay.assignment(EVERYBODY, "u-1")
    assert assay.close().delivered == 1
    assert gateway.posted == [[], ["u-1"]]


@pytest.mark.parametrize("url", ["http://" + "x" * 70 + ".example", "http://localhost:99999"])
def test_a_url_that_nobody_can_reach_ends_no_thread(url: str) -> None:
    assay = Assay(lambda: HttpTransport(url, "key"), tenant_id="acme")
    assay.assignment(EVERYBODY, "u-1")
    result = assay.flush()
    assay.close()
    assert (result.delivered, result.failed, result.pending) == (0, 1, 0)


def test_no_thread_to_be_had_costs_the_agent_nothing_and_the_next_event_starts_one(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refused(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    sink = Sink()
    assay = client(sink)
    with monkeypatch.context() as full, caplog.at_level(logging.WARNING, "assay_sdk"):
        full.setattr(threading.Thread, "start", refused)
        for unit in ("u-1", "u-2"):
            assay.assignment(EVERYBODY, unit)
        assert assay.close(0.01).pending == 2
    assay.assignment(EVERYBODY, "u-3")
    assert assay.close().complete
    assert told_of(sink) == ["u-1", "u-2", "u-3"]
    assert assay.counters.read()["transport_errors"] == 2
    assert len([one for one in caplog.records if one.exc_info]) == 1


def test_a_loop_that_cannot_be_made_at_first_is_made_later(monkeypatch: pytest.MonkeyPatch) -> None:
    refusals, enter = [OSError(24, "Too many open files")] * 2, asyncio.Runner.__enter__

    def entered(runner: asyncio.Runner) -> asyncio.Runner:
        if refusals and threading.current_thread().name == "assay-sender":
            raise refusals.pop()
        return enter(runner)

    monkeypatch.setattr(asyncio.Runner, "__enter__", entered)
    sink = Sink()
    assay = client(sink)
    assay.assignment(EVERYBODY, "u-1")
    assert assay.close().complete
    assert told_of(sink) == ["u-1"]
    assert assay.counters.read()["transport_errors"] == 2
