"""What the chunks of a stream say: when the first token came, and in the end what all of it was."""

from typing import Any, NamedTuple

from assay_sdk.answers import Fields, finish_reason, part, read, usage

# OpenAI's responses and Anthropic's messages name each event; chat completions do not.
WHOLE = ("response.completed", "response.incomplete", "response.failed")


class Said(NamedTuple):
    """What one chunk says."""

    is_token: bool
    text: str
    fields: Fields


def said(chunk: Any) -> Said:
    """Read a chunk. Of a shape that is not known, or a plain text, each is a token."""
    if isinstance(chunk, str):
        return Said(bool(chunk), chunk, {})
    kind = part(chunk, "type")
    if isinstance(kind, str):
        return _named(kind, chunk)
    if part(chunk, "choices") is not None:
        return _chat(chunk)
    return Said(True, "", {})


def _chat(chunk: Any) -> Said:
    delta = part(chunk, "choices", 0, "delta")
    text = part(delta, "content")
    names = ("content", "tool_calls", "function_call", "refusal", "reasoning_content", "reasoning")
    is_token = any(part(delta, name) for name in names)
    return Said(is_token, text if isinstance(text, str) else "", read(chunk, content=False))


def _named(kind: str, chunk: Any) -> Said:
    if kind == "message_start":
        begun = read(part(chunk, "message"), content=False)
        begun.pop("output_tokens", None)  # of a few tokens; how many it will be is said at the end
        return Said(False, "", begun)
    if kind == "message_delta":
        reason = finish_reason(part(chunk, "delta"))
        # Its counts are of the whole message; where it says only some, the others stay.
        told = usage(part(chunk, "usage"))
        return Said(False, "", told | ({"finish_reason": reason} if reason else {}))
    if kind in WHOLE:
        return Said(False, "", read(part(chunk, "response"), content=False))
    delta = part(chunk, "delta")
    if kind == "response.output_text.delta":
        return Said(True, delta if isinstance(delta, str) else "", {})
    if kind == "content_block_delta":
        text = part(delta, "text")
        return Said(True, text if isinstance(text, str) else "", {})
    return Said(kind.endswith(".delta"), "", {})
