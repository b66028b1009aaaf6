"""A provider's stream that must be entered is seen however it is read."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.sdk import shapes
from tests.unit.sdk.managers import AsyncManager, Manager
from tests.unit.sdk.test_client import Sink, client

WHOLE = {"input_tokens": 21, "output_tokens": 5, "output_text": "Four.", "success": True}


def told(sink: Sink) -> tuple[dict[str, Any], str]:
    (event,) = sink.events()
    return event, event["metadata"]["finish_reason"]


@pytest.mark.parametrize(
    "read",
    [
        lambda stream: list(stream.text_stream),
        list,
        lambda stream: stream.get_final_message(),
        lambda stream: stream.until_done(),
        lambda stream: (next(stream.text_stream), stream.get_final_message()),
    ],
    ids=["texts", "events", "final message", "until done", "one text, then the final message"],
)
def test_whichever_way_a_stream_is_read_all_of_it_is_told(read: Callable[[Any], Any]) -> None:
    sink, manager = Sink(), Manager()
    assay = client(sink, capture_content=True)
    with assay.operation("m") as operation, operation.stream(manager) as stream:  # type: ignore[attr-defined]
        read(stream)
    assay.close()
    event, reason = told(sink)
    assert WHOLE.items() <= event.items()
    assert (reason, manager.is_left) == ("end_turn", True)


def test_texts_tell_when_the_first_token_came() -> None:
    sink = Sink()
    assay = client(sink)
    with assay.operation("m") as operation, operation.stream(Manager()) as stream:  # type: ignore[attr-defined]
        assert list(stream.text_stream) == ["Fo", "ur."]
    assay.close()
    event, _ = told(sink)
    assert event["time_to_first_token_ms"] <= event["response_time_ms"]
    assert "output_text" not in event


async def test_a_manager_that_can_only_be_entered_asynchronously() -> None:
    sink, manager = Sink(), AsyncManager()
    assay = client(sink, capture_content=True)
    operation = assay.operation("m")
    async with operation, operation.stream(manager) as stream:  # type: ignore[attr-defined]
        assert [text async for text in stream.text_stream] == ["Fo", "ur."]
    await assay.aflush()
    assay.close()
    event, reason = told(sink)
    assert WHOLE.items() <= event.items()
    assert (reason, manager.is_left) == ("end_turn", True)


@pytest.mark.parametrize("way", ["events", "texts"])
def test_who_leaves_early_is_not_told_of_as_if_that_were_all(way: str) -> None:
    sink = Sink()
    assay = client(sink)
    with assay.operation("m") as operation, operation.stream(Manager()) as stream:  # type: ignore[attr-defined]
        for _ in stream if way == "events" else stream.text_stream:
            break
    assay.close()
    event, reason = told(sink)
    assert (event["input_tokens"], reason) == (21, "abandoned")
    assert "output_tokens" not in event


def test_a_stream_of_events_that_breaks_off_has_no_count_of_its_output() -> None:
    sink = Sink()
    assay = client(sink)
    with assay.operation("m") as operation:
        next(operation.stream(iter(shapes.MESSAGE_EVENTS)))
    assay.close()
    event, reason = told(sink)
    assert (event["input_tokens"], reason) == (21, "abandoned")
    assert "output_tokens" not in event
