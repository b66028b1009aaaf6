"""Streams pass through unchanged, and tell when the first token came and what it all was."""

import gc
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from assay_sdk import operation as module
from tests.unit.sdk import shapes
from tests.unit.sdk.test_client import Sink, client

STREAMS = pytest.mark.parametrize(
    ("chunks", "first"),
    [(shapes.CHAT_CHUNKS, 1), (shapes.RESPONSE_EVENTS, 1), (shapes.MESSAGE_EVENTS, 3)],
    ids=["chat completion", "response", "message"],
)


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(module.time, "perf_counter", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def ticking(clock: Clock, chunks: list[Any]) -> Iterator[Any]:
    for number, chunk in enumerate(chunks):
        clock.now = float(number)
        yield chunk


async def ticking_async(clock: Clock, chunks: list[Any]) -> AsyncIterator[Any]:
    for chunk in ticking(clock, chunks):
        yield chunk


class Provider:
    """As OpenAI's and Anthropic's libraries stream: an iterator, with the response it reads."""

    response = "HTTP 200"

    def __init__(self, chunks: Iterator[Any]) -> None:
        self.chunks = chunks
        self.closed = False

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return next(self.chunks)

    def __enter__(self) -> "Provider":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        self.closed = True


def assert_told(event: dict[str, Any], first: int) -> None:
    assert event["time_to_first_token_ms"] == first * 1000
    assert (event["input_tokens"], event["cached_input_tokens"]) == (21, 16)
    assert (event["output_tokens"], event["output_text"]) == (5, "Four.")
    assert event["success"] is True


@STREAMS
def test_a_stream_in_a_block(clock: Clock, chunks: list[Any], first: int) -> None:
    sink = Sink()
    assay = client(sink, capture_content=True)
    with assay.operation("m") as operation:
        assert list(operation.stream(ticking(clock, chunks))) == chunks
    assay.close()
    (event,) = sink.events()
    assert_told(event, first)
    assert event["response_time_ms"] == (len(chunks) - 1) * 1000


@STREAMS
async def test_an_async_stream_of_a_traced_function(
    clock: Clock, chunks: list[Any], first: int
) -> None:
    sink = Sink()
    assay = client(sink, capture_content=True)

    @assay.traced("m")
    async def ask() -> AsyncIterator[Any]:
        return ticking_async(clock, chunks)

    assert [chunk async for chunk in await ask()] == chunks
    await assay.aflush()
    (event,) = sink.events()
    assert_told(event, first)
    assay.close()


def test_generator_functions_are_measured_to_their_end(clock: Clock) -> None:
    sink = Sink()
    assay = client(sink)

    @assay.traced("plain")
    def plain() -> Iterator[str]:
        yield from ticking(clock, ["", "Fo", "ur."])

    assert list(plain()) == ["", "Fo", "ur."]
    assay.close()
    (event,) = sink.events()
    assert (event["time_to_first_token_ms"], event["response_time_ms"]) == (1000, 2000)


async def test_async_generator_functions_too(clock: Clock) -> None:
    sink = Sink()
    assay = client(sink)

    @assay.traced("async")
    async def later() -> AsyncIterator[str]:
        async for chunk in ticking_async(clock, ["Fo", "ur."]):
            yield chunk

    assert [chunk async for chunk in later()] == ["Fo", "ur."]
    await assay.aflush()
    assert sink.events()[0]["response_time_ms"] == 1000
    assay.close()


def test_a_providers_stream_keeps_what_it_can_do(clock: Clock) -> None:
    sink = Sink()
    assay = client(sink)
    provider = Provider(ticking(clock, shapes.CHAT_CHUNKS))

    @assay.traced("m")
    def ask() -> Provider:
        return provider

    with ask() as stream:
        assert stream.response == "HTTP 200"
        assert list(stream) == shapes.CHAT_CHUNKS
    assert provider.closed
    assay.close()
    (event,) = sink.events()
    assert event["output_tokens"] == 5


def test_a_stream_that_breaks_is_a_failure_and_the_error_passes_on() -> None:
    sink = Sink()
    assay = client(sink)

    @assay.traced("m")
    def ask() -> Iterator[str]:
        yield "Fo"
        raise ConnectionResetError("gone")

    stream = ask()
    assert next(stream) == "Fo"
    with pytest.raises(ConnectionResetError, match="gone"):
        next(stream)
    assay.close()
    (event,) = sink.events()
    assert (event["success"], event["error_type"]) == (False, "ConnectionResetError")


@pytest.mark.parametrize("how", ["dropped", "closed", "left"])
def test_who_stops_reading_is_no_failure_and_counts_once(how: str) -> None:
    sink = Sink()
    assay = client(sink)

    @assay.traced("m")
    def ask() -> Provider:
        return Provider(iter(shapes.MESSAGE_EVENTS))

    stream: Any = ask()
    next(stream)
    if how == "closed":
        stream.close()
    if how == "left":
        with stream:
            next(stream)
    del stream
    gc.collect()
    assay.close()
    (event,) = sink.events()
    assert (event["success"], event["input_tokens"]) == (True, 21)
    assert event["metadata"]["finish_reason"] == "abandoned"


def test_a_stream_that_is_kept_past_its_block_has_told_what_it_said_by_then() -> None:
    sink = Sink()
    assay = client(sink)
    with assay.operation("m") as operation:
        stream = operation.stream(iter(shapes.MESSAGE_EVENTS))
        next(stream)
    assert list(stream) == shapes.MESSAGE_EVENTS[1:]
    assay.close()
    (event,) = sink.events()
    assert event["input_tokens"] == 21


def test_a_generator_that_measures_itself_may_be_left() -> None:
    sink = Sink()
    assay = client(sink)

    def answer() -> Iterator[str]:
        with assay.operation("m"):
            yield "Fo"
            yield "ur."

    stream = answer()
    next(stream)
    stream.close()
    assay.close()
    (event,) = sink.events()
    assert (event["success"], event["metadata"]) == (True, {"finish_reason": "abandoned"})


def test_a_file_is_no_stream(tmp_path: Any) -> None:
    path = tmp_path / "answer"
    path.write_text("Four.")
    assay = client(Sink())
    with assay.traced("m")(path.open)() as opened:
        assert opened.readlines() == ["Four."]
    assert type(opened) is type(path.open())
    assay.close()
