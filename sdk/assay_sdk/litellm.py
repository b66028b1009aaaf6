"""A callback for LiteLLM, which is imported when it is asked for."""

import importlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from assay_sdk.answers import Fields, part
from assay_sdk.client import Assay

KINDS = {
    "completion": "chat",
    "embedding": "embeddings",
    "text_completion": "text_completion",
    "responses": "chat",
    "image_generation": "image_generation",
    "rerank": "rerank",
    "transcription": "transcription",
    "speech": "speech",
}


def litellm_callback(assay: Assay) -> Any:
    """What goes into `litellm.callbacks`; `ImportError` where LiteLLM is not installed.

    Each call becomes an operation, with LiteLLM's call id as its own. What `metadata={"assay":
    {…}}` of a call holds are fields of its operation: `session_id`, `variant`, `environment` …
    """
    base = importlib.import_module("litellm.integrations.custom_logger").CustomLogger

    class AssayLogger(base):  # type: ignore[misc,valid-type]
        # LiteLLM gives these by position or by name.
        def log_success_event(
            self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
        ) -> None:
            record(assay, kwargs, response_obj, (start_time, end_time))

        def log_failure_event(
            self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
        ) -> None:
            record(assay, kwargs, response_obj, (start_time, end_time), has_failed=True)

        async def async_log_success_event(
            self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
        ) -> None:
            record(assay, kwargs, response_obj, (start_time, end_time))

        async def async_log_failure_event(
            self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
        ) -> None:
            record(assay, kwargs, response_obj, (start_time, end_time), has_failed=True)

    return AssayLogger()


def record(
    assay: Assay,
    kwargs: Mapping[str, Any],
    answer: Any,
    between: tuple[datetime, datetime],
    *,
    has_failed: bool = False,
) -> None:
    """Tell of one call; what cannot be read of it counts as `unread_answers`."""
    try:
        fields = _fields(kwargs, *between)
        fields |= dict(part(kwargs, "litellm_params", "metadata", "assay") or {})
        fields.pop("model_id", None)  # LiteLLM knows better than who calls it
        model = str(kwargs.get("model") or "unknown")[:128]
        operation = assay.operation(model, **fields)
        operation.ask(_text(kwargs.get("messages") or kwargs.get("input")))
        if has_failed:
            operation.fields.pop("cost_usd", None)  # LiteLLM says 0, which nobody knows
            error = kwargs.get("exception")
            operation.end(error if isinstance(error, BaseException) else RuntimeError("unknown"))
        else:
            operation.read(answer)
            operation.end()
    except Exception:
        assay.counters.add("unread_answers")


def _fields(kwargs: Mapping[str, Any], start: datetime, end: datetime) -> Fields:
    kind = str(kwargs.get("call_type") or "")
    fields: Fields = {
        "operation_id": kwargs.get("litellm_call_id"),
        "operation_type": KINDS.get(kind.removeprefix("a"), "chat"),
        "provider": kwargs.get("custom_llm_provider") or None,
        "user_id": kwargs.get("user") or part(kwargs, "optional_params", "user"),
        "response_time_ms": (end - start).total_seconds() * 1000,
        "cost_usd": kwargs.get("response_cost"),
    }
    first = kwargs.get("completion_start_time")
    # Without a stream LiteLLM sets it to the end.
    if kwargs.get("stream") and isinstance(first, datetime):
        fields["time_to_first_token_ms"] = (first - start).total_seconds() * 1000
    return fields


def _text(asked: Any) -> str:
    """The words of the last message."""
    if isinstance(asked, str):
        return asked
    content = part(asked, -1, "content")
    return content if isinstance(content, str) else ""
