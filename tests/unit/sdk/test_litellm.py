"""The callback for LiteLLM: with the real one where it is installed, else as it calls us."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import pytest

from assay_sdk.litellm import litellm_callback
from tests.support.waiting import eventually
from tests.unit.sdk import shapes
from tests.unit.sdk.test_client import Sink, client

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
END = NOON + timedelta(seconds=2)
CALL: dict[str, Any] = {
    "litellm_call_id": "call-1",
    "model": "gpt-4o-mini",
    "call_type": "acompletion",
    "custom_llm_provider": "openai",
    "user": "u-17",
    "messages": [{"role": "user", "content": "Two and two?"}],
    "response_cost": 0.0001,
    "stream": True,
    "completion_start_time": NOON + timedelta(seconds=1),
    "litellm_params": {"metadata": {"assay": {"variant": "b", "session_id": "s-1"}}},
}


@pytest.fixture
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one class that is taken from LiteLLM, which brings 200 MB with it."""
    names = ("litellm", "litellm.integrations", "litellm.integrations.custom_logger")
    for name in names:
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    sys.modules[names[-1]].CustomLogger = object


@pytest.mark.usefixtures("_installed")
async def test_a_call_becomes_an_operation() -> None:
    sink = Sink()
    assay = client(sink, capture_content=True)
    await litellm_callback(assay).async_log_success_event(
        kwargs=CALL, response_obj=shapes.CHAT, start_time=NOON, end_time=END
    )
    assert (await assay.aflush()).complete
    (event,) = sink.events()
    wanted = {
        "operation_id": "call-1",
        "model_id": "gpt-4o-mini",
        "operation_type": "chat",
        "provider": "openai",
        "user_id": "u-17",
        "response_time_ms": 2000,
        "time_to_first_token_ms": 1000,
        "cost_usd": 0.0001,
        "variant": "b",
        "session_id": "s-1",
        "input_tokens": 21,
        "output_tokens": 5,
        "input_text": "Two and two?",
        "output_text": "Four.",
        "success": True,
    }
    assert wanted.items() <= event.items()
    assay.close()


@pytest.mark.usefixtures("_installed")
def test_a_calls_metadata_says_neither_whose_nor_which_event_it_is() -> None:
    sink = Sink()
    assay = client(sink)
    said = {"tenant_id": "other", "event_id": "0", "model_id": "dear", "variant": "b"}
    call = {**CALL, "litellm_params": {"metadata": {"assay": said}}}
    litellm_callback(assay).log_success_event(call, shapes.CHAT, NOON, END)
    assay.close()
    (event,) = sink.events()
    assert (event["tenant_id"], event["model_id"], event["variant"]) == ("acme", "gpt-4o-mini", "b")
    assert event["event_id"] == dict(sink.sent[0].headers)["ce_id"].decode() != "0"


@pytest.mark.usefixtures("_installed")
def test_a_call_that_failed_is_a_failure() -> None:
    sink = Sink()
    assay = client(sink)
    call = {**CALL, "exception": TimeoutError("slow"), "response_cost": 0}
    litellm_callback(assay).log_failure_event(call, None, NOON, END)
    assay.close()
    (event,) = sink.events()
    assert (event["success"], event["error_type"]) == (False, "TimeoutError")
    assert event["response_time_ms"] == 2000
    assert "cost_usd" not in event


@pytest.mark.usefixtures("_installed")
@pytest.mark.parametrize("call", [None, {"litellm_params": {"metadata": {"assay": 3}}}, {}])
def test_whatever_it_is_called_with_it_raises_nothing(call: Any) -> None:
    assay = client(Sink())
    litellm_callback(assay).log_success_event(call, object(), NOON, None if call == {} else END)
    assert assay.counters.read()["unread_answers"] == 1
    assay.close()


async def test_what_litellm_itself_calls_back() -> None:
    """One test: LiteLLM keeps the first callback of a class, however often its list is set."""
    litellm = pytest.importorskip("litellm", reason="LiteLLM is not part of the lock file")
    sink = Sink()
    assay = client(sink)
    litellm.callbacks = [litellm_callback(assay)]
    messages = [{"role": "user", "content": "Two and two?"}]
    ask: dict[str, Any] = {"model": "gpt-4o-mini", "messages": messages, "mock_response": "Four."}

    async def told(count: int) -> dict[str, Any]:
        await eventually(lambda: len(sink.events()) >= count, why=f"{count} are told of")
        return sink.events()[-1]

    await asyncio.to_thread(litellm.completion, **ask)
    plain = await told(1)
    await asyncio.to_thread(lambda: list(litellm.completion(**ask, stream=True)))
    streamed = await told(2)
    busy = {**ask, "mock_response": "litellm.RateLimitError", "num_retries": 0}
    with pytest.raises(litellm.RateLimitError):
        await asyncio.to_thread(litellm.completion, **busy)
    failed = await told(3)
    await litellm.acompletion(**ask, user="u-17", metadata={"assay": {"variant": "b"}})
    later = await told(4)
    async for _ in await litellm.acompletion(**ask, stream=True):
        pass
    assert (await told(5))["time_to_first_token_ms"] > 0
    assert (await assay.aflush()).complete
    assert len(sink.events()) == 5
    assert {event["model_id"] for event in sink.events()} == {"gpt-4o-mini"}
    assert min(plain["output_tokens"], streamed["output_tokens"], later["output_tokens"]) > 0
    assert streamed["time_to_first_token_ms"] <= streamed["response_time_ms"]
    assert (failed["success"], failed["error_type"]) == (False, "RateLimitError")
    assert (later["user_id"], later["variant"]) == ("u-17", "b")
    assert "unread_answers" not in assay.counters.read()
    assay.close()
