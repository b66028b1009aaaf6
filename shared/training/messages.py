"""The messages that an operation's input holds: a chat in JSON, or one text of a user."""

from typing import TypedDict

from pydantic_core import from_json

ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
"""Roles that every trainer knows, and what they are called in an export."""


class Message(TypedDict):
    """One turn of a conversation."""

    role: str
    content: str


def messages(text: str) -> list[Message]:
    """A chat if the text is a JSON array of messages that are text only, else one user message.

    Messages are `{role, content}` with a text or a list of parts with `text`, or OpenTelemetry's
    `{role, parts: [{type: "text", content}]}`. A chat with images, tools or other roles stays the
    text that it came as: nothing of it is lost.
    """
    return _chat(text) or [Message(role="user", content=text)]


def answer(text: str) -> Message:
    """What an assistant says."""
    return Message(role="assistant", content=text)


def _chat(text: str) -> list[Message] | None:
    if not text.lstrip(" \t\r\n").startswith("["):
        return None
    try:
        turns = from_json(text)
    except ValueError:  # also for escaped lone surrogates, which no file can hold
        return None
    read = [_message(turn) for turn in turns]
    held = [message for message in read if message is not None]
    return held if len(held) == len(read) else None


def _message(turn: object) -> Message | None:
    if not isinstance(turn, dict) or turn.get("tool_calls"):
        return None
    role = turn.get("role")
    content = _text(turn["content"] if "content" in turn else turn.get("parts"))
    if not isinstance(role, str) or role not in ROLES or content is None:
        return None
    return Message(role=ROLES[role], content=content)


def _text(content: object) -> str | None:
    if isinstance(content, str):
        return content
    if not isinstance(content, list) or not content:
        return None
    parts = [_part(part) for part in content]
    texts = [part for part in parts if part is not None]
    return "\n".join(texts) if len(texts) == len(parts) else None


def _part(part: object) -> str | None:
    if isinstance(part, str):
        return part
    if not isinstance(part, dict) or part.get("type", "text") not in {"text", "input_text"}:
        return None
    text = part["text"] if "text" in part else part.get("content")
    return text if isinstance(text, str) else None
