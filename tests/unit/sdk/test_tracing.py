"""Functions are measured to the end of what they return, and get back what they returned."""

import asyncio
from typing import Any
from unittest.mock import MagicMock

import pytest

from tests.unit.sdk import shapes
from tests.unit.sdk.test_client import Sink, client


async def answered(answer: Any) -> Any:
    await asyncio.sleep(0)
    if isinstance(answer, Exception):
        raise answer
    return answer


async def test_a_plain_function_that_calls_an_async_one_is_measured_to_its_end() -> None:
    sink = Sink()
    assay = client(sink)

    @assay.traced("m")
    def ask(answer: Any) -> Any:
        return answered(answer)

    assert await ask(shapes.CHAT) is shapes.CHAT
    with pytest.raises(ValueError, match="no"):
        await ask(ValueError("no"))
    assert (await assay.aflush()).complete
    told, failed = sink.events()
    assert (told["success"], told["output_tokens"]) == (True, 5)
    assert (failed["success"], failed["error_type"]) == (False, "ValueError")
    assay.close()


async def test_a_function_that_starts_a_task_is_measured_to_the_tasks_end() -> None:
    sink = Sink()
    assay = client(sink)

    @assay.traced("m")
    def ask(answer: Any) -> asyncio.Task[Any]:
        return asyncio.create_task(answered(answer))

    tasks = [ask(shapes.CHAT), ask(ValueError("no")), ask(shapes.CHAT)]
    tasks[2].cancel()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert done[0] is shapes.CHAT
    assert (await assay.aflush()).complete
    events = sink.events()
    assert sorted(str(event.get("error_type")) for event in events) == [
        "None",
        "None",
        "ValueError",
    ]
    told = [event for event in events if event["success"]]
    assert sorted(event["metadata"]["finish_reason"] for event in told) == ["abandoned", "stop"]
    assay.close()


def test_a_mock_in_an_agents_test_is_handed_on_as_it_is() -> None:
    sink = Sink()
    assay = client(sink)
    mock = MagicMock()
    assert assay.traced("m")(lambda: mock)() is mock
    assert assay.close().delivered == 1
