"""Answers and streams as OpenAI's and Anthropic's references document them."""

from typing import Any

CHAT = {
    "object": "chat.completion",
    "model": "gpt-4o-mini-2024-07-18",
    "choices": [{"message": {"role": "assistant", "content": "Four."}, "finish_reason": "stop"}],
    "usage": {
        "prompt_tokens": 21,
        "completion_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": 16},
        "completion_tokens_details": {"reasoning_tokens": 2},
    },
}
RESPONSE = {
    "object": "response",
    "status": "completed",
    "model": "gpt-4o-mini-2024-07-18",
    "output": [
        {"type": "reasoning", "summary": []},
        {"type": "message", "content": [{"type": "output_text", "text": "Four."}]},
    ],
    "usage": {
        "input_tokens": 21,
        "output_tokens": 5,
        "input_tokens_details": {"cached_tokens": 16},
        "output_tokens_details": {"reasoning_tokens": 2},
    },
}
MESSAGE = {
    "type": "message",
    "model": "claude-sonnet-4-5-20250929",
    "content": [
        {"type": "thinking", "thinking": "two and two"},
        {"type": "text", "text": "Four."},
    ],
    "stop_reason": "end_turn",
    "usage": {
        "input_tokens": 5,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 16,
        "output_tokens": 5,
    },
}
FAILED = {
    "object": "response",
    "status": "failed",
    "error": {"code": "server_error", "message": "no"},
    "usage": None,
}


def chat_chunk(delta: Any, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": more.pop("finish_reason", None)}
    return {"object": "chat.completion.chunk", "model": CHAT["model"], "choices": [choice], **more}


CHAT_CHUNKS = [
    chat_chunk({"role": "assistant", "content": ""}),
    chat_chunk({"content": "Fo"}),
    chat_chunk({"content": "ur."}),
    chat_chunk({}, finish_reason="stop"),
    {"model": CHAT["model"], "choices": [], "usage": CHAT["usage"]},
]
RESPONSE_EVENTS = [
    {"type": "response.created", "response": {"object": "response", "usage": None}},
    {"type": "response.output_text.delta", "delta": "Fo"},
    {"type": "response.output_text.delta", "delta": "ur."},
    {"type": "response.output_text.done", "text": "Four."},
    {"type": "response.completed", "response": RESPONSE},
]
MESSAGE_EVENTS = [
    {
        "type": "message_start",
        "message": {
            **MESSAGE,
            "content": [],
            "stop_reason": None,
            "usage": {**MESSAGE["usage"], "output_tokens": 1},
        },
    },
    {"type": "ping"},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Fo"}},
    {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "ur."}},
    {"type": "content_block_stop", "index": 0},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn"},
        "usage": {"output_tokens": 5, "input_tokens": None},
    },
    {"type": "message_stop"},
]
