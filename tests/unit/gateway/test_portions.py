"""How much of an export is held at once."""

import pytest

from services.gateway.store.exporting import LEAST_ROWS, MOST_ROWS, PORTION_CHARACTERS, fitting


@pytest.mark.parametrize(
    ("characters", "rows"),
    [
        (0, MOST_ROWS),
        (700, MOST_ROWS),
        (16_384, PORTION_CHARACTERS // 16_384),
        (98_304, LEAST_ROWS),
    ],
)
def test_the_longer_rows_are_the_fewer_are_read_at_once(characters: int, rows: int) -> None:
    record = {"input": "x" * characters, "output": None, "correction": ""}
    assert fitting([record] * 100) == rows
