"""One call of a model, measured while it runs."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

MAX_ERROR = 2048
MAX_NAME = 128

Record = Callable[[str, dict[str, Any]], None]


class Operation:
    """Set what you learn while the call runs; leaving the block sends it.

    `with` and `async with` both work. An exception is recorded as a failure and passes on.
    """

    __slots__ = ("_record", "_started", "fields", "operation_id")

    def __init__(self, record: Record, operation_id: str, fields: dict[str, Any]) -> None:
        self.operation_id = operation_id
        self.fields = fields
        self._record = record
        self._started = 0.0

    def set(self, **fields: Any) -> Self:
        """Add what is known now: tokens, confidence, texts, `success=False`, metadata …"""
        self.fields.update(fields)
        return self

    def first_token(self) -> None:
        """Call when the first token of a stream arrives."""
        elapsed = time.perf_counter() - self._started
        self.fields.setdefault("time_to_first_token_ms", elapsed * 1000)

    def feedback(self, **said: Any) -> None:
        """Feedback on this operation: rating, helpful, accurate, relevant, fast, comment …"""
        known = {
            name: self.fields[name]
            for name in ("model_id", "environment", "operation_type", "variant")
            if self.fields.get(name) is not None
        }
        self._record("feedback", {"operation_id": self.operation_id, **known, **said})

    def __enter__(self) -> Self:
        self._started = time.perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        fields = self.fields
        fields.setdefault("response_time_ms", (time.perf_counter() - self._started) * 1000)
        if kind is not None:
            fields["success"] = False
            fields.setdefault("error_type", kind.__name__[:MAX_NAME])
            fields.setdefault("error_message", str(error)[:MAX_ERROR])
        self._record("operations", fields)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, trace)
