"""One call of a model, measured while it runs."""

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar, cast

from assay_sdk.ids import Name
from assay_sdk.reader import Reader
from assay_sdk.streaming import ABANDONED, Watched, watched

MAX_ERROR = 2048
MAX_NAME = 128
COUNTS = ("input_tokens", "output_tokens", "cached_input_tokens", "reasoning_tokens")

Answer = TypeVar("Answer")
Record = Callable[[str, dict[str, Any]], None]


class Operation:
    """Set what you learn while the call runs; leaving the block sends it.

    `with` and `async with` both work. An exception is recorded as a failure, with its text only
    where content is captured, and passes on.
    """

    __slots__ = ("_counted", "_name", "_record", "_started", "_streams", "fields", "reader")

    def __init__(
        self, record: Record, name: str | Name, fields: dict[str, Any], reader: Reader
    ) -> None:
        self._name = name
        self.fields = fields
        self.reader = reader
        self._record = record
        self._started = 0.0
        # Most calls need neither: they are made when they are.
        self._streams: list[Watched] | None = None
        self._counted: set[str] | None = None

    @property
    def operation_id(self) -> str:
        """Which operation it is: whatever is said of it later says so by this."""
        return str(self._name)

    def set(self, **fields: Any) -> Self:
        """Add what is known now: tokens, confidence, texts, `success=False`, metadata …"""
        self.fields.update(fields)
        if self._counted:
            self._counted.difference_update(fields)
        return self

    def ask(self, text: Any) -> None:
        """Note what the model is asked, where content is sent at all."""
        if self.reader.content and isinstance(text, str) and text:
            self.fields.setdefault("input_text", text)

    def read(self, answer: Answer) -> Answer:
        """Learn from a provider's answer: tokens, model version, why it ended; and hand it on.

        OpenAI's chat completions and responses, Anthropic's messages, and what looks like them.
        What was `set` stays. Of several answers in one operation the tokens add up.
        """
        self.learn(self.reader.answer(answer))
        return answer

    def stream(self, chunks: Answer) -> Answer:
        """Hand on a provider's stream, or any iterator of chunks, and learn from what comes by.

        The first token's time is that of the first chunk with something in it.
        """
        stream = watched(chunks, self)
        self._streams = [*(self._streams or ()), stream]
        return cast(Answer, stream)

    def first_token(self) -> None:
        """Call when the first token arrives, of a stream that `stream` does not see."""
        if "time_to_first_token_ms" not in self.fields:
            elapsed = time.perf_counter() - self._started
            self.fields["time_to_first_token_ms"] = elapsed * 1000

    def learn(self, found: dict[str, Any]) -> None:
        """Take what an answer says of itself, where nothing else has been said."""
        fields = self.fields
        for name, value in found.items():
            if name == "finish_reason":
                self._conclude(value)
            elif name == "error_message" and not self.reader.content:
                continue  # providers repeat what they were asked
            elif self._counted and name in self._counted:
                fields[name] += value
            elif name == "success":
                fields[name] = value
            elif name not in fields:
                fields[name] = value
                if name in COUNTS:
                    self._counted = {*(self._counted or ()), name}

    def _conclude(self, reason: Any) -> None:
        said = self.fields.get("metadata") or {}
        if isinstance(said, Mapping):  # else it will be refused, but not here
            # The caller's own mapping is not ours to change.
            self.fields["metadata"] = {"finish_reason": reason, **said}

    def feedback(self, **said: Any) -> None:
        """Feedback on this operation: rating, helpful, accurate, relevant, fast, comment …"""
        known = {
            name: self.fields[name]
            for name in ("model_id", "environment", "operation_type", "variant")
            if self.fields.get(name) is not None
        }
        self._record("feedback", {"operation_id": self.operation_id, **known, **said})

    def begin(self) -> Self:
        """It begins: what entering the block does."""
        self._started = time.perf_counter()
        return self

    __enter__ = begin  # itself: a call more is measured in every block

    def end(self, error: BaseException | None = None) -> None:
        """It is over, and how: what leaving the block does."""
        self.__exit__(None, error, None)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # All of it stands here: `end` would be a call more in every block.
        fields = self.fields
        fields.setdefault("response_time_ms", (time.perf_counter() - self._started) * 1000)
        while self._streams:
            self._streams.pop().over(error, abandoned=error is None)
        if error is not None and not isinstance(error, Exception):
            # Cancelled, interrupted, told to exit, read no further: none is the model's failure.
            self.learn({"finish_reason": ABANDONED})
        elif error is not None:
            fields["success"] = False
            fields.setdefault("error_type", type(error).__name__[:MAX_NAME])
            if self.reader.content:
                fields.setdefault("error_message", _words(error)[:MAX_ERROR])
        self._record("operations", {"operation_id": self._name, **fields})

    async def __aenter__(self) -> Self:
        return self.begin()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, trace)


def _words(error: BaseException) -> str:
    """Its text; an error that cannot say itself is still told of."""
    try:
        return str(error)
    except Exception:
        return ""
