"""The table says what is wanted, what was measured, and whether that is enough."""

import io

import pytest
from rich.console import Console

from benchmarks.targets import ROWS, Row, is_met, is_missed, table


def printed(results: dict[str, float | list[float]]) -> str:
    out = io.StringIO()
    Console(file=out, width=200).print(table(results))
    return out.getvalue()


@pytest.mark.parametrize(
    ("row", "value", "ratio", "verdict"),
    [
        (Row("a", "s"), 1, None, None),
        (Row("a", "s", least=2), 2, None, True),
        (Row("a", "s", least=2), 1.9, None, False),
        (Row("a", "s", most=0), 0, None, True),
        (Row("a", "s", most=0), 1, None, False),
        (Row("a", "s", least=2, against="b", least_ratio=0.5), 2, 0.4, False),
        (Row("a", "s", least=2, against="b", least_ratio=0.5), 1, 0.6, False),
        (Row("a", "s", least=2, against="b", least_ratio=0.5, is_either=True), 1, 0.6, True),
        (Row("a", "s", against="b", least_ratio=0.5), 9, None, False),
    ],
)
def test_a_figure_is_met_when_all_that_is_wanted_of_it_is(
    row: Row, value: float, ratio: float | None, verdict: bool | None
) -> None:
    assert is_met(row, value, ratio) is verdict


def test_of_some_runs_the_median_counts_and_the_span_is_told() -> None:
    said = printed({"metrics": [95_000.0, 80_000.0, 91_000.0], "faststream_raw": 200_000.0})
    assert "91,000" in said
    assert "80,000 to 95,000, 3 runs" in said
    assert "0.46 x faststream_raw" in said
    assert "│ met" in said
    assert "NOT MET" not in said


def test_a_figure_stands_beside_each_of_its_peers_once_these_are_measured() -> None:
    results: dict[str, float | list[float]] = {"metrics": 90_000.0}
    assert "metrics_to_engines" not in printed(results)
    results |= {"fastest_engine": 106_000.0, "quix_exactly-once": 24_600.0}
    said = printed(results)
    assert "0.85 x fastest_engine" in said
    assert "3.66 x quix_exactly-once" in said
    assert is_missed(results)
    assert not is_missed(results | {"fastest_engine": 100_000.0})


def test_every_line_has_a_name_of_its_own() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)
