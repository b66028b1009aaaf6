"""The callback for LangChain: with the real one where it is installed, else with what it calls."""

import os
import sys
import threading
from types import ModuleType, SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from assay_sdk import langchain
from assay_sdk.langchain import langchain_callback
from tests.unit.sdk.test_client import Sink, client

RUN, OTHER = UUID(int=1), UUID(int=2)
STARTED: dict[str, Any] = {
    "metadata": {
        "ls_model_name": "claude-sonnet-4-5",
        "ls_provider": "anthropic",
        "user_id": "u-17",
        "thread_id": "s-1",
        "variant": "b",
    },
    "invocation_params": {"model": "another"},
}
MESSAGE = SimpleNamespace(
    usage_metadata={
        "input_tokens": 21,
        "output_tokens": 5,
        "total_tokens": 26,
        "input_token_details": {"cache_read": 16},
        "output_token_details": {"reasoning": 2},
    },
    response_metadata={"model_name": "claude-sonnet-4-5-20250929", "stop_reason": "end_turn"},
)
RESULT = SimpleNamespace(
    generations=[[SimpleNamespace(text="Four.", message=MESSAGE)]], llm_output=None
)


@pytest.fixture
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one class that is taken from LangChain."""
    for name in ("langchain_core", "langchain_core.callbacks"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    sys.modules["langchain_core.callbacks"].BaseCallbackHandler = object


@pytest.mark.usefixtures("_installed")
def test_a_run_of_a_model_becomes_an_operation() -> None:
    sink = Sink()
    assay = client(sink, capture_content=True)
    handler = langchain_callback(assay)
    asked = [[SimpleNamespace(content="Two and two?")]]
    handler.on_chat_model_start({}, asked, run_id=RUN, parent_run_id=OTHER, **STARTED)
    handler.on_llm_new_token("Fo", run_id=RUN)
    handler.on_llm_end(RESULT, run_id=RUN)
    assert assay.close().complete
    (event,) = sink.events()
    wanted = {
        "operation_id": str(RUN),
        "model_id": "claude-sonnet-4-5",
        "model_version": "claude-sonnet-4-5-20250929",
        "provider": "anthropic",
        "user_id": "u-17",
        "session_id": "s-1",
        "variant": "b",
        "input_tokens": 21,
        "cached_input_tokens": 16,
        "output_tokens": 5,
        "reasoning_tokens": 2,
        "input_text": "Two and two?",
        "output_text": "Four.",
        "metadata": {"finish_reason": "end_turn"},
        "success": True,
    }
    assert wanted.items() <= event.items()
    assert 0 <= event["time_to_first_token_ms"] <= event["response_time_ms"]


@pytest.mark.usefixtures("_installed")
def test_older_models_say_their_tokens_beside_the_result() -> None:
    sink = Sink()
    assay = client(sink)
    handler = langchain_callback(assay)
    handler.on_llm_start({}, ["Two and two?"], run_id=RUN, invocation_params={"model_name": "m"})
    told = {"token_usage": {"prompt_tokens": 3, "completion_tokens": 1}}
    handler.on_llm_end(SimpleNamespace(generations=[[]], llm_output=told), run_id=RUN)
    assay.close()
    (event,) = sink.events()
    assert (event["model_id"], event["input_tokens"], event["output_tokens"]) == ("m", 3, 1)


@pytest.mark.usefixtures("_installed")
def test_an_error_is_a_failure_of_its_own_run() -> None:
    sink = Sink()
    assay = client(sink)
    handler = langchain_callback(assay)
    for run in (RUN, OTHER):
        handler.on_llm_start({}, ["?"], run_id=run, **STARTED)
    handler.on_llm_error(TimeoutError("slow"), run_id=OTHER)
    handler.on_llm_end(RESULT, run_id=RUN)
    handler.on_llm_end(RESULT, run_id=RUN)  # told twice, counted once
    assay.close()
    outcomes = {event["operation_id"]: event["success"] for event in sink.events()}
    assert outcomes == {str(OTHER): False, str(RUN): True}
    assert len(sink.events()) == 2


@pytest.mark.usefixtures("_installed")
def test_whatever_it_is_called_with_it_raises_nothing() -> None:
    sink = Sink()
    assay = client(sink)
    handler = langchain_callback(assay)
    handler.on_chat_model_start(None, None, run_id=RUN, metadata=3)
    handler.on_llm_new_token(None, run_id=OTHER)
    handler.on_llm_end(object(), run_id=OTHER)
    handler.on_llm_start({}, ["?"], run_id=RUN)
    handler.on_llm_end(object(), run_id=RUN)
    assert assay.close().complete
    assert [event["model_id"] for event in sink.events()] == ["unknown"]
    assert assay.counters.read()["unread_answers"] == 1


@pytest.mark.usefixtures("_installed")
def test_runs_that_never_end_are_bounded_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(langchain, "MOST_RUNS", 3)
    sink = Sink()
    assay = client(sink)
    handler = langchain_callback(assay)
    for number in range(5):
        handler.on_llm_start({}, ["?"], run_id=number, **STARTED)
    for number in range(5):
        handler.on_llm_end(RESULT, run_id=number)
    assay.close()
    assert [event["operation_id"] for event in sink.events()] == ["2", "3", "4"]
    assert assay.counters.read()["unended_runs"] == 2


@pytest.mark.usefixtures("_installed")
def test_a_child_hangs_on_no_lock_of_its_parents_threads() -> None:
    runs = langchain.Runs(client(Sink()))
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with runs._lock:
            held.set()
            done.wait()

    threading.Thread(target=hold, daemon=True).start()
    held.wait()
    child = os.fork()
    if child == 0:
        is_free = runs._lock.acquire(blocking=False)
        os._exit(0 if is_free else 1)
    done.set()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


async def test_what_langchain_itself_calls_back() -> None:
    core = pytest.importorskip("langchain_core", reason="LangChain is not part of the lock file")
    assert core is not None
    fakes = pytest.importorskip("langchain_core.language_models.fake_chat_models")
    messages = pytest.importorskip("langchain_core.messages")
    answer = messages.AIMessage("Four.", usage_metadata=MESSAGE.usage_metadata)
    model = fakes.GenericFakeChatModel(messages=iter([answer] * 4))
    sink = Sink()
    assay = client(sink, capture_content=True)
    config = {"callbacks": [langchain_callback(assay)], "metadata": {"user_id": "u-17"}}
    model.invoke("Two and two?", config=config)
    await model.ainvoke("Two and two?", config=config)
    assert len(list(model.stream("Two and two?", config=config))) >= 1
    async for _ in model.astream("Two and two?", config=config):
        pass
    assert (await assay.aflush()).complete
    events = sink.events()
    assert [event["user_id"] for event in events] == ["u-17"] * 4
    assert [event["input_text"] for event in events] == ["Two and two?"] * 4
    assert [event["output_text"] for event in events] == ["Four."] * 4
    assert [event.get("input_tokens") for event in events[:2]] == [21, 21]
    assert all("time_to_first_token_ms" in event for event in events[2:])
    assert "unread_answers" not in assay.counters.read()
    assay.close()
