"""CSV after RFC 4180, in which no text is a formula."""

import csv
from collections.abc import Sequence
from io import StringIO

from shared.training.formats.lines import encoded
from shared.training.row import Record

_FULL_WIDTH = "\uff1d\uff0b\uff0d\uff20"  # = + - @: some spreadsheets take them for those
_FORMULA = frozenset("=+-@\t\r\n\0" + _FULL_WIDTH)


class Csv:
    """A header, then one line a record. Null is an empty cell, and nested values are JSON.

    All but numbers is quoted: a program that takes another character for the separator, as some do
    by the user's language, still sees where a cell begins.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        """`columns` in their order; every record has them all."""
        self._columns = tuple(columns)

    def head(self) -> bytes:
        return _lines([self._columns])

    def body(self, records: Sequence[Record]) -> bytes:
        return _lines([[cell(record[name]) for name in self._columns] for record in records])

    def tail(self) -> bytes:
        return b""


def cell(value: object) -> str | int | float:
    """What stands in a cell: numbers stay numbers, and text never begins a formula."""
    if isinstance(value, str):
        return guarded(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return value
    return guarded(encoded(value).decode())


def guarded(text: str) -> str:
    """A text that spreadsheets do not run (OWASP ASVS 1.2.10): quoting alone stops none."""
    return f"'{text}" if text[:1] in _FORMULA else text


def _lines(rows: Sequence[Sequence[object]]) -> bytes:
    written = StringIO(newline="")
    writer = csv.writer(written, lineterminator="\r\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerows(rows)
    return written.getvalue().encode()
