"""Attributes of a span, an event or a log record, whatever their senders took for a value."""

import math
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

Values = Mapping[str, AnyValue]
Names = tuple[str, ...]
NOTHING: Values = {}
MOST_DIGITS = 20
MOST_EVENTS = 1_000


def values(pairs: Iterable[KeyValue]) -> Values:
    """By name; of a repeated name, the last."""
    return {one.key: one.value for one in pairs}


def plain(value: AnyValue) -> Any:
    """The value as JSON has it; bytes as base64. Never deeper than protobuf itself allows."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [plain(one) for one in value.array_value.values]
    if kind == "kvlist_value":
        return {one.key: plain(one.value) for one in value.kvlist_value.values}
    if kind == "bytes_value":
        return b64encode(value.bytes_value).decode()
    return None if kind is None else getattr(value, kind)


def events(span: Span) -> Sequence[Span.Event]:
    """Of a span's events as many as are read; SDKs keep 128."""
    return span.events[:MOST_EVENTS]


class Attributes:
    """Own attributes before those of the resource; a value of the wrong kind is noted, not used."""

    def __init__(self, own: Values, around: Values = NOTHING) -> None:
        self.own = own
        self._around = around
        self.notes: list[str] = []

    def has(self, names: Iterable[str]) -> bool:
        """Whether the span itself says one of them."""
        return any(name in self.own for name in names)

    def text(self, names: Names, most: int) -> str | None:
        """The first text of at most so many characters; a whole number is one too."""
        for name, value in self._found(names):
            said = str(value) if isinstance(value, int) else value
            if not isinstance(said, str):
                self._note(name, "not a text")
            elif len(said) > most:
                self._note(name, f"longer than {most} characters")
            elif said.strip():
                return said
        return None

    def count(self, names: Names, most: int) -> int | None:
        """The first whole number from 0; one written as a text or with a decimal point too."""
        for name, value in self._found(names):
            number = _number(value)
            if number is not None and number.is_integer() and 0 <= number <= most:
                return int(number)
            self._note(name, f"not a whole number from 0 to {most}")
        return None

    def number(self, names: Names, most: float) -> float | None:
        """The first number from 0 to `most`."""
        for name, value in self._found(names):
            number = _number(value)
            if number is not None and 0 <= number <= most:
                return number
            self._note(name, f"not a number from 0 to {most:g}")
        return None

    def any(self, names: Names) -> Any:
        """The first that is there, as JSON has it."""
        return next((value for _, value in self._found(names)), None)

    def starting(self, start: str) -> Iterator[tuple[str, Any]]:
        """Rest of the name and value of own attributes whose names start so."""
        for name, value in self.own.items():
            if name.startswith(start):
                yield name[len(start) :], plain(value)

    def _found(self, names: Names) -> Iterator[tuple[str, Any]]:
        for name in names:
            value = self.own.get(name)
            if value is None:
                value = self._around.get(name)
            if value is not None and (said := plain(value)) is not None:
                yield name, said

    def _note(self, name: str, why: str) -> None:
        self.notes.append(f"{name} is left out: {why}")


def _number(value: Any) -> float | None:
    if isinstance(value, str) and len(value) <= MOST_DIGITS:
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None
