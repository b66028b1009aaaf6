"""A callback for LangChain, which is imported when it is asked for."""

import importlib
import os
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from assay_sdk.answers import Fields, part, usage
from assay_sdk.client import Assay
from assay_sdk.operation import Operation

MOST_RUNS = 10_000


def langchain_callback(assay: Assay) -> Any:
    """A handler for models, chains and agents; `ImportError` where LangChain is not installed.

    Each call of a model becomes an operation, with LangChain's run id as its own. Of the run's
    metadata `user_id`, `session_id` (or `thread_id`), `ab_test_id` and `variant` are its fields.
    """
    base = importlib.import_module("langchain_core.callbacks").BaseCallbackHandler
    runs = Runs(assay)

    class AssayHandler(base):  # type: ignore[misc,valid-type]
        run_inline = True  # it takes microseconds: less than handing it to a thread
        ignore_chain = ignore_agent = ignore_retriever = ignore_retry = True

        def on_llm_start(self, serialized: Any, prompts: Any, *, run_id: Any, **more: Any) -> None:
            runs.start(run_id, part(prompts, -1), more)

        def on_chat_model_start(
            self, serialized: Any, messages: Any, *, run_id: Any, **more: Any
        ) -> None:
            runs.start(run_id, part(messages, 0, -1, "content"), more)

        def on_llm_new_token(self, token: Any, *, run_id: Any, **more: Any) -> None:
            runs.token(run_id)

        def on_llm_end(self, response: Any, *, run_id: Any, **more: Any) -> None:
            runs.end(run_id, response)

        def on_llm_error(self, error: Any, *, run_id: Any, **more: Any) -> None:
            runs.end(run_id, None, error)

    return AssayHandler()


class Runs:
    """Operations that are under way, by LangChain's run id; bounded, for some never end."""

    def __init__(self, assay: Assay) -> None:
        self._assay = assay
        self._begin_anew()
        myself = weakref.WeakMethod(self._begin_anew)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=lambda: _call(myself()))

    def _begin_anew(self) -> None:
        """In a child process: a lock that nobody holds; its parent's runs end in its parent."""
        self._lock = threading.RLock()
        self._running: OrderedDict[str, Operation] = OrderedDict()

    def start(self, run_id: Any, asked: Any, more: dict[str, Any]) -> None:
        """A model is called."""
        self._safely(lambda: self._start(str(run_id), asked, more))

    def token(self, run_id: Any) -> None:
        """A token of a stream came."""
        operation = self._running.get(str(run_id))
        if operation is not None:
            operation.first_token()

    def end(self, run_id: Any, response: Any, error: BaseException | None = None) -> None:
        """It answered, or failed."""
        self._safely(lambda: self._end(str(run_id), response, error))

    def _start(self, run_id: str, asked: Any, more: dict[str, Any]) -> None:
        said, called = more.get("metadata") or {}, more.get("invocation_params") or {}
        model = said.get("ls_model_name") or called.get("model") or called.get("model_name")
        fields: Fields = {name: said.get(name) for name in ("user_id", "ab_test_id", "variant")}
        fields["session_id"] = said.get("session_id") or said.get("thread_id")
        fields["provider"] = said.get("ls_provider")
        operation = self._assay.operation(
            str(model or "unknown")[:128], operation_id=run_id, **fields
        )
        operation.ask(asked)
        with self._lock:
            if len(self._running) >= MOST_RUNS:
                self._running.popitem(last=False)
                self._assay.counters.add("unended_runs")
            self._running[run_id] = operation.begin()

    def _end(self, run_id: str, response: Any, error: BaseException | None) -> None:
        with self._lock:
            operation = self._running.pop(run_id, None)
        if operation is None:
            return
        try:
            operation.learn(_learned(response, content=operation.reader.content))
        finally:
            operation.end(error)

    def _safely(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception:
            self._assay.counters.add("unread_answers")


def _call(method: Callable[[], None] | None) -> None:
    if method is not None:
        method()


def _learned(response: Any, *, content: bool) -> Fields:
    """Of an LLMResult: LangChain's own counts, else what the provider said."""
    first = part(response, "generations", 0, 0)
    counted, told = part(first, "message", "usage_metadata"), part(first, "message")
    found = usage(part(response, "llm_output", "token_usage")) | usage(counted)
    details = {
        "cached_input_tokens": part(counted, "input_token_details", "cache_read"),
        "reasoning_tokens": part(counted, "output_token_details", "reasoning"),
        "model_version": part(told, "response_metadata", "model_name"),
        "finish_reason": part(told, "response_metadata", "finish_reason")
        or part(told, "response_metadata", "stop_reason"),
        "output_text": part(first, "text") if content else None,
    }
    return found | {name: value for name, value in details.items() if value}
