"""The sending thread outlives whatever a transport raises, counts it, and says so once."""

import asyncio
import http.client
import logging
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from assay_sdk import Assay, courier
from assay_sdk.events import Encoded
from assay_sdk.secret import api_key
from assay_sdk.sender import Sender
from assay_sdk.transports import HttpTransport, Sent
from tests.unit.sdk.test_client import EVERYBODY, Gateway, Sink, client, partly, told_of


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier, "FIRST_WAIT_S", 0.001)


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
        SystemExit(1),
        KeyboardInterrupt(),
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
    assert len([one for one in caplog.records if "it is tried again" in one.message]) == 1


def test_events_that_are_to_blame_are_dropped_in_the_end_and_those_after_them_go_out() -> None:
    sink = Odd(*[ValueError("these")] * courier.MOST_ODD_TRIES)
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
    monkeypatch.setattr(courier, "MOST_WAIT_S", 0.002)
    sink = Odd(*[ConnectionRefusedError()] * (3 * courier.MOST_ODD_TRIES))
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


@pytest.mark.parametrize("key", ["", " ", "assay_sec\nret", "assay_s\u20accret", "a\tb"])
def test_a_key_that_no_header_may_hold_is_refused_at_once_and_not_repeated(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ASSAY_KAFKA_BOOTSTRAP_SERVERS", raising=False)
    monkeypatch.setenv("ASSAY_GATEWAY_URL", "http://localhost:1")
    monkeypatch.setenv("ASSAY_API_KEY", key or " ")
    for made in (
        lambda: Assay.http("http://localhost:1", key),
        lambda: Assay(Sink, tenant_id="acme", gateway=("http://localhost:1", key)),
        Assay.from_env,
    ):
        with pytest.raises(ValueError, match="the API key is empty, or has characters") as raised:
            made()
        assert not key.strip() or key not in str(raised.value)


def test_a_line_end_around_a_key_is_none_of_it() -> None:
    assert api_key(" assay_secret\r\n") == "assay_secret"


def test_no_log_repeats_the_words_of_an_error(caplog: pytest.LogCaptureFixture) -> None:
    assay = client(Odd(ValueError("Invalid header value b'Bearer assay_secret'")))
    with caplog.at_level(logging.DEBUG, "assay_sdk"):
        assay.assignment(EVERYBODY, "u-1")
        assert assay.close().complete
    assert "ValueError at test_odd_transports.py:" in caplog.text
    assert "assay_secret" not in caplog.text


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
    assert len([one for one in caplog.records if "it is tried again" in one.message]) == 1


def test_a_signal_amid_a_start_starts_no_second_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[threading.Thread] = []
    start = threading.Thread.start

    def interrupted(thread: threading.Thread) -> None:
        start(thread)
        if thread.name == "assay-sender":
            started.append(thread)
            if len(started) == 1:
                assay.assignment(EVERYBODY, "u-2")  # what a handler does that interrupts here

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    sink = Sink()
    assay = client(sink)
    assay.assignment(EVERYBODY, "u-1")
    assert assay.close() == (2, 0, 0)
    assert len(started) == 1


def test_a_start_that_is_broken_off_is_made_by_the_next_event(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What Ctrl-C or a task's soft limit does that comes just then."""
    sink = Sink()
    assay = client(sink)

    def broken_off(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as early:
        early.setattr(threading, "_start_new_thread", broken_off)
        with pytest.raises(KeyboardInterrupt):
            assay.assignment(EVERYBODY, "u-1")
    assert assay.close(0.01).pending == 1
    assay.assignment(EVERYBODY, "u-2")
    assert assay.close().complete
    assert told_of(sink) == ["u-1", "u-2"]


def test_a_start_whose_end_is_broken_off_leaves_one_thread_that_sends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start = threading.Thread.start

    def broken_off(thread: threading.Thread) -> None:
        start(thread)
        if thread.name == "assay-sender":
            raise KeyboardInterrupt

    sink, others = Sink(), set(threading.enumerate())
    assay = client(sink)
    with monkeypatch.context() as late:
        late.setattr(threading.Thread, "start", broken_off)
        with pytest.raises(KeyboardInterrupt):
            assay.assignment(EVERYBODY, "u-1")
    assert assay.flush().complete
    assay.assignment(EVERYBODY, "u-2")
    assert assay.close().complete
    assert told_of(sink) == ["u-1", "u-2"]
    assert "assay-sender" not in {one.name for one in set(threading.enumerate()) - others}


def test_a_handler_that_closes_amid_the_first_start_loses_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    create, results = threading._start_new_thread, list[Any]()  # type: ignore[attr-defined]

    def interrupted(*given: Any) -> int:
        if not results:
            results.append(assay.close(0.01))
        return create(*given)  # type: ignore[no-any-return]

    sink = Sink()
    assay = client(sink)
    monkeypatch.setattr(threading, "_start_new_thread", interrupted)
    assay.assignment(EVERYBODY, "u-1")
    assert results == [(0, 0, 1)]
    assert assay.close().complete
    assert told_of(sink) == ["u-1"]


def test_a_thread_that_died_is_started_again_by_the_next_event(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sink = Sink()
    assay = client(sink)
    with monkeypatch.context() as dying:
        dying.setattr(Sender, "_work", lambda *_: None)
        assay.assignment(EVERYBODY, "u-1")
        thread = assay._sender._thread or assay._sender._before
        assert thread is not None
        thread.join()
    assay.assignment(EVERYBODY, "u-2")
    assert assay.close() == (2, 0, 0)
    assert told_of(sink) == ["u-1", "u-2"]


@pytest.mark.parametrize("error", [OSError(24, "Too many open files"), SystemExit(1)], ids=repr)
def test_a_loop_that_cannot_be_made_at_first_is_made_later(
    error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals, make = [error] * 2, asyncio.new_event_loop

    def made() -> asyncio.AbstractEventLoop:
        if refusals and threading.current_thread().name == "assay-sender":
            raise refusals.pop()
        return make()

    monkeypatch.setattr(asyncio, "new_event_loop", made)
    sink = Sink()
    assay = client(sink)
    assay.assignment(EVERYBODY, "u-1")
    assert assay.close().complete
    assert told_of(sink) == ["u-1"]
    assert assay.counters.read()["transport_errors"] == 2
