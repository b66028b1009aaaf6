"""Streams as Anthropic's library manages them: entered first, read as texts, or all at once."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from tests.unit.sdk import shapes


class Message:
    """What a manager's stream is: events, texts, and the message as far as it has come."""

    def __init__(self) -> None:
        self.events = iter(shapes.MESSAGE_EVENTS)
        self.usage: dict[str, Any] | None = None
        self.stop_reason: str | None = None
        self.said = ""
        self.text_stream: Any = self.texts()

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        event = next(self.events)
        if event["type"] == "message_start":
            self.usage = event["message"]["usage"]
        if event["type"] == "message_delta" and self.usage is not None:
            self.usage = {**self.usage, "output_tokens": event["usage"]["output_tokens"]}
            self.stop_reason = event["delta"]["stop_reason"]
        if event["type"] == "content_block_delta":
            self.said += event["delta"]["text"]
        return event

    def texts(self) -> Iterator[str]:
        for event in self:
            if event["type"] == "content_block_delta":
                yield event["delta"]["text"]

    @property
    def current_message_snapshot(self) -> dict[str, Any]:
        assert self.usage is not None, "nothing has come"
        content = [{"type": "text", "text": self.said}]
        return {
            "type": "message",
            "model": "claude",
            "content": content,
            "stop_reason": self.stop_reason,
            "usage": self.usage,
        }

    def until_done(self) -> None:
        for _ in self:
            pass

    def get_final_message(self) -> dict[str, Any]:
        self.until_done()
        return self.current_message_snapshot


class AsyncMessage(Message):
    """The same, read asynchronously."""

    def __init__(self) -> None:
        super().__init__()
        self.text_stream = self.async_texts()

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        try:
            return next(self)
        except StopIteration:
            raise StopAsyncIteration from None

    async def async_texts(self) -> AsyncIterator[str]:
        for text in self.texts():
            yield text


class Manager:
    """Can be entered, and left; no more."""

    is_left = False

    def __enter__(self) -> Message:
        return Message()

    def __exit__(self, *_: object) -> None:
        self.is_left = True


class AsyncManager:
    """The same, asynchronously."""

    is_left = False

    async def __aenter__(self) -> AsyncMessage:
        return AsyncMessage()

    async def __aexit__(self, *_: object) -> None:
        self.is_left = True
