"""A chain as a file, verified without any server."""

from collections.abc import Iterator

import pytest

from shared.audit.chain import Head, Row
from shared.audit.exports import (
    ExportError,
    first_line,
    last_line,
    line_of,
    tenant_of,
    verify_export,
)
from shared.audit.keys import Keys
from tests.unit.audit.made import KEYS, LATER, anchor_of, chain, head_of


def exported(rows: list[Row], head: Head | None) -> list[bytes]:
    return [first_line("acme"), *map(line_of, rows), last_line("acme", head, LATER, KEYS)]


def test_a_file_says_the_same_as_the_chain() -> None:
    rows = chain(20, switch=5)
    lines = iter(exported(rows, head_of(rows)))
    assert tenant_of(next(lines)) == "acme"
    verdict = verify_export("acme", lines, KEYS, [anchor_of(rows[3])])
    assert (verdict.whole, verdict.rows, verdict.anchors) == (True, 20, 1)
    empty = iter(exported([], None)[1:])
    assert verify_export("acme", empty, KEYS, ()).whole


def test_lines_that_were_touched_are_seen() -> None:
    rows = chain(5)
    lines = exported(rows, head_of(rows))
    for touched in (
        [*lines[:2], *lines[3:]],
        [*lines[:2], lines[3], lines[2], *lines[4:]],
        [line.replace(b"key:2", b"key:1") for line in lines],
        [*lines[:3], lines[2], *lines[3:]],
        [*lines[:5], lines[-1]],
    ):
        assert not verify_export("acme", iter(touched[1:]), KEYS, ()).whole


def test_what_is_no_whole_export_is_refused() -> None:
    rows = chain(5)
    lines = exported(rows, head_of(rows))[1:]
    shorter = last_line("acme", head_of(rows[:2]), LATER, Keys({2: b"three" * 8}))
    for touched in (
        lines[:-1],
        [*lines, lines[0]],
        [*lines[:2], shorter],
        [*lines[:-1], lines[-1].replace(b'"sequence":5', b'"sequence":4')],
        [b"no json\n", *lines],
        [b"[]\n", *lines],
        [lines[0].replace(b'"key_version":2', b'"key_version":"2"'), *lines[1:]],
        [lines[0].replace(b"+00:00", b""), *lines[1:]],
    ):
        with pytest.raises(ExportError):
            verify_export("acme", iter(touched), KEYS, ())
    with pytest.raises(ExportError):
        tenant_of(lines[0])


def test_rows_are_looked_at_as_they_come() -> None:
    """Constant memory: nothing is read ahead."""
    rows, read = chain(10), 0

    def lines() -> Iterator[bytes]:
        nonlocal read
        for line in exported(rows[:9], head_of(rows[:9]))[1:]:
            read += 1
            yield line

    assert verify_export("acme", lines(), KEYS, ()).rows == read - 1 == 9
