"""What a provider's answer says of itself, read by its shape: nothing of a provider is imported.

Known are chat completions and responses as OpenAI gives them, and messages as Anthropic does, as
objects or as mappings. Others answer in these shapes too.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

MAX_NAME = 128
CHAT_DETAILS = "prompt_tokens_details", "completion_tokens_details"
DETAILS = "input_tokens_details", "output_tokens_details"
Fields = dict[str, Any]


def read(answer: Any, *, content: bool) -> Fields:
    """Fields of an operation, as many as are found; with the text that was said, if `content`."""
    found = usage(part(answer, "usage"))
    model = part(answer, "model")
    if isinstance(model, str) and model:
        found["model_version"] = model[:MAX_NAME]
    reason = finish_reason(answer)
    if isinstance(reason, str):
        found["finish_reason"] = reason[:MAX_NAME]
    found |= _failure(answer)
    if content:
        text = "".join(_texts(answer))
        if text:
            found["output_text"] = text
    return found


def is_answer(answer: Any) -> bool:
    """Whether something that a function returned is a provider's, and not the agent's own."""
    return part(answer, "usage") is not None or is_response(answer)


def is_response(answer: Any) -> bool:
    """Whether it is one of OpenAI's responses."""
    return bool(part(answer, "object") == "response")


def part(whole: Any, *names: str | int) -> Any:
    """What lies there in an object, a mapping or a list; `None` where nothing does."""
    for name in names:
        if isinstance(name, int):
            is_there = isinstance(whole, Sequence) and not isinstance(whole, str)
            whole = whole[name] if is_there and -len(whole) <= name < len(whole) else None
        elif isinstance(whole, Mapping):
            whole = whole.get(name)
        else:
            whole = getattr(whole, name, None)
    return whole


def usage(said: Any) -> Fields:
    """Tokens. What was read from a cache is part of `input_tokens`, as everywhere in Assay."""
    inputs, outputs = _count(said, "input_tokens"), _count(said, "output_tokens")
    is_chat = inputs is None and outputs is None
    if is_chat:
        inputs, outputs = _count(said, "prompt_tokens"), _count(said, "completion_tokens")
    of_input, of_output = CHAT_DETAILS if is_chat else DETAILS
    was_cached = _count(said, of_input, "cached_tokens")
    read_again = _count(said, "cache_read_input_tokens")
    written = _count(said, "cache_creation_input_tokens")
    # Anthropic counts them beside the input. LiteLLM names them beside OpenAI's, which hold them.
    if not is_chat and was_cached is None and inputs is not None:
        inputs += (read_again or 0) + (written or 0)
    found = {
        "input_tokens": inputs,
        "output_tokens": outputs,
        "cached_input_tokens": read_again if was_cached is None else was_cached,
        "reasoning_tokens": _count(said, of_output, "reasoning_tokens"),
    }
    return {name: count for name, count in found.items() if count is not None}


def finish_reason(answer: Any) -> Any:
    """Why it ended, in the provider's word."""
    return (
        part(answer, "choices", 0, "finish_reason")
        or part(answer, "stop_reason")
        or part(answer, "incomplete_details", "reason")
    )


def _count(said: Any, *names: str) -> int | None:
    found = part(said, *names)
    is_count = isinstance(found, int) and not isinstance(found, bool) and found >= 0
    return found if is_count else None


def _failure(answer: Any) -> Fields:
    """A response that the provider itself calls failed, though the call returned."""
    if not is_response(answer) or part(answer, "status") != "failed":
        return {}
    code, message = part(answer, "error", "code"), part(answer, "error", "message")
    found: Fields = {"success": False, "error_type": str(code or "failed")[:MAX_NAME]}
    return found | ({"error_message": message[:2048]} if isinstance(message, str) else {})


def _texts(answer: Any) -> Iterator[str]:
    """The text in pieces; what was only thought or asked of tools is none."""
    said = part(answer, "choices", 0, "message", "content")
    if isinstance(said, str):
        yield said
        return
    for message in (answer, *_sequence(part(answer, "output"))):
        for block in _sequence(part(message, "content")):
            text = part(block, "text")
            if isinstance(text, str):
                yield text


def _sequence(found: Any) -> Sequence[Any]:
    return found if isinstance(found, Sequence) and not isinstance(found, str) else ()
