"""JSON, as one array and as one object a line."""

from collections.abc import Sequence

from pydantic_core import to_json

from shared.training.row import Record


class JsonLines:
    """One object a line, each line ended by a newline; no records make an empty file."""

    def head(self) -> bytes:
        return b""

    def body(self, records: Sequence[Record]) -> bytes:
        return b"".join([encoded(record) + b"\n" for record in records])

    def tail(self) -> bytes:
        return b""


class JsonArray:
    """One array, each record on its own line."""

    def __init__(self) -> None:
        """Nothing was written yet."""
        self._is_begun = False

    def head(self) -> bytes:
        return b"["

    def body(self, records: Sequence[Record]) -> bytes:
        if not records:
            return b""
        start = b",\n" if self._is_begun else b"\n"
        self._is_begun = True
        return start + b",\n".join([encoded(record) for record in records])

    def tail(self) -> bytes:
        return b"\n]\n" if self._is_begun else b"]\n"


def encoded(value: object) -> bytes:
    """Compact JSON in UTF-8. Not-a-number, which no row holds, would be null."""
    return to_json(value, inf_nan_mode="null")
