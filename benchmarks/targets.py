"""What is measured, beside what it is to be."""

from collections.abc import Iterator
from statistics import median
from typing import Any, NamedTuple

from rich.table import Table

from benchmarks.steady import CONSUMERS
from deploy.names import SERVICES

MET, MISSED = "met", "NOT MET"
Measured = float | list[float]
"""A figure, or those of some runs."""


class Row(NamedTuple):
    """A line of the table."""

    name: str
    unit: str
    least: float | None = None
    most: float | None = None
    against: str | None = None
    least_ratio: float | None = None
    is_either: bool = False
    """Whether one of `least` and `least_ratio` is enough."""
    of: str | None = None
    """Whose figure it is, where that stands in another line too."""

    @property
    def figure(self) -> str:
        """Under which name it is measured."""
        return self.of or self.name


ROWS = [
    Row("codec", "records/s of CPU"),
    Row("codec_signed", "records/s of CPU", against="codec"),
    Row("faststream_raw", "events/s"),
    Row("metrics", "events/s", least=90_000, against="faststream_raw"),
    Row("metrics_to_engines", "events/s", of="metrics", against="fastest_engine", least_ratio=0.9),
    Row("metrics_to_quix", "events/s", of="metrics", against="quix_exactly-once", least_ratio=3.5),
    Row("metrics_poisoned", "events/s", against="metrics", least_ratio=0.8),
    Row("copy_staging", "rows/s"),
    Row("ingest", "events/s", least=35_000, against="copy_staging", least_ratio=0.5),
    Row("ingest_poisoned", "events/s", against="ingest", least_ratio=0.8),
    Row("abtest_no_test", "events/s"),
    Row("abtest", "events/s", least=20_000),
    Row("abtest_many_units", "events/s"),
    Row("feedback", "events/s", least=8_000),
    Row("feedback_whole", "events/s"),
    Row("results_look_ms", "ms", most=1_000),
    Row("results_look_max_ms", "ms", most=1_000),
    Row("quix_at-least-once", "events/s"),
    Row("quix_exactly-once", "events/s"),
    Row("bytewax", "events/s"),
    Row("pathway", "events/s"),
    Row("whole_rate", "events/s", least=10_000 * 0.98),
    Row("freshness_redis_p50_s", "s", most=0.5),
    Row("freshness_redis_p99_s", "s", most=2),
    Row("freshness_postgres_p99_s", "s", most=5),
    Row("bare_route", "requests/s"),
    Row("get_metrics_uncounted", "requests/s", against="get_metrics"),
    Row("get_metrics", "requests/s", against="bare_route", least_ratio=0.7),
    Row("post_batches", "events/s", least=20_000),
    Row("bare_post", "requests/s"),
    Row("post_single", "requests/s", against="bare_post", least_ratio=0.6),
    Row("otlp_mlflow", "spans/s"),
    Row("otlp_phoenix", "spans/s"),
    Row("otlp", "spans/s", against="otlp_fastest_peer", least_ratio=30),
    Row("sdk_import_cpu_ms", "ms", most=100),
    Row("sdk_us_per_event", "µs", most=30),
    Row("sdk_row_p50_us", "µs", most=30),
    Row("sdk_row_p99_us", "µs", most=200),
    Row("sdk_cold_uuid4_us", "µs"),
    Row("sdk_there_p50_us", "µs", most=30, against="sdk_cold_uuid4_us"),
    Row("sdk_there_p99_us", "µs", most=200),
    Row("sdk_away_p50_us", "µs", most=30, against="sdk_cold_uuid4_us"),
    Row("sdk_away_p99_us", "µs", most=200),
    Row("sdk_away_raised", "exceptions", most=0),
    Row("sdk_away_given", "events"),
    Row("sdk_away_dropped", "events"),
    Row("sdk_away_unaccounted", "events", most=0),
    Row("sdk_away_untold", "events", most=0),
    Row("sdk_disk_p50_us", "µs", most=30, against="sdk_cold_uuid4_us"),
    Row("sdk_disk_p99_us", "µs", most=200),
    Row("sdk_disk_raised", "exceptions", most=0),
    Row("sdk_disk_given", "events"),
    Row("sdk_disk_dropped", "events", most=0),
    Row("sdk_disk_unaccounted", "events", most=0),
    Row("sdk_disk_untold", "events", most=0),
    Row("alert_look_ms", "ms", most=300),
    Row("status_look_ms", "ms"),
    Row("alert_raised_p50_s", "s"),
    Row("alert_raised_p99_s", "s", most=10),
    Row("status_read_p50_ms", "ms"),
    Row("status_read_p99_ms", "ms", most=5),
    Row("export_copy_rows_s", "rows/s"),
    Row("export_rows_s", "rows/s", against="export_copy_rows_s"),
    Row("export_copy_mb_s", "MB/s"),
    Row("export_mb_s", "MB/s", 50, against="export_copy_mb_s", least_ratio=0.3, is_either=True),
    Row("export_rss_growth_mb", "MB", most=50),
    Row("overload_most", "events/s"),
    Row("overload_offered", "events/s", against="overload_most", least_ratio=1.9),
    Row("overload_taken", "events/s", against="overload_most"),
    Row("overload_shed_requests", "requests", least=1),
    Row("overload_shed_without_time", "requests", most=0),
    Row("overload_other_answers", "requests", most=0),
    Row("overload_ack_p50_ms", "ms"),
    Row("overload_ack_p99_ms", "ms", most=1_000),
    Row("overload_health_max_ms", "ms"),
    Row("overload_rss_growth_mb", "MB", most=100),
    Row("overload_lost_events", "events", most=0),
    Row("dashboard_paint_ms", "ms", most=1_000),
    Row("dashboard_paint_warm_ms", "ms", most=1_000),
    Row("dashboard_weight_kb", "KB", most=300),
    Row("dashboard_requests_s", "requests/s"),
    Row("dashboard_refused", "requests", most=0),
    Row("dashboard_quiet_percent", "% of a core"),
    Row("dashboard_open_percent", "% of a core", most=20),
    Row("dashboard_unmeasured", "figures", most=0),
    Row("dashboard_driver_off", "requests", most=2),
    *(Row(f"whole_{name}_rss_mb", "MB", most=150) for name in SERVICES),
    Row("idle_percent", "% of a core", most=5),
    *(Row(f"idle_{name}_percent", "% of a core") for name in SERVICES),
    Row("soak_rate", "events/s", least=5_000 * 0.98),
    *(Row(f"soak_{name}_lag_max_s", "s", most=5) for name in CONSUMERS),
    *(Row(f"soak_{name}_rss_mb", "MB", most=150) for name in SERVICES),
    *(Row(f"soak_{name}_growth", "x", most=1.05) for name in SERVICES),
    Row("soak_mismatches", "cells", most=0),
    Row("soak_missing", "events", most=0),
    Row("metrics_rss_mb", "MB", most=150),
    Row("ingest_rss_mb", "MB", most=150),
    Row("abtest_rss_mb", "MB", most=150),
    Row("feedback_rss_mb", "MB", most=150),
    Row("gateway_rss_mb", "MB", most=150),
]


def table(results: dict[str, Any]) -> Table:
    """Target, median, its span over the runs, its ratio, and whether that is what it should be."""
    out = Table("what", "target", "measured", "of runs", "unit", "ratio", "")
    for row in _measured(results):
        value, ratio = _value(results[row.figure]), _ratio(row, results)
        verdict = is_met(row, value, ratio)
        out.add_row(
            row.name,
            " or ".join(_wanted(row)) if row.is_either else ", ".join(_wanted(row)),
            _number(value),
            _span(results[row.figure]),
            row.unit,
            "" if ratio is None else f"{ratio:.2f} x {row.against}",
            "" if verdict is None else MET if verdict else MISSED,
        )
    return out


def is_missed(results: dict[str, Any]) -> bool:
    """Whether a target is."""
    return any(
        is_met(row, _value(results[row.figure]), _ratio(row, results)) is False
        for row in _measured(results)
    )


def is_met(row: Row, value: float, ratio: float | None) -> bool | None:
    """Whether a figure is what it should be; `None` where nothing is wanted of it.

    A ratio that is wanted but could not be measured is not met.
    """
    verdicts = []
    if row.least is not None:
        verdicts.append(value >= row.least)
    if row.most is not None:
        verdicts.append(value <= row.most)
    if row.least_ratio is not None:
        verdicts.append(ratio is not None and ratio >= row.least_ratio)
    if not verdicts:
        return None
    return any(verdicts) if row.is_either else all(verdicts)


def _measured(results: dict[str, Any]) -> Iterator[Row]:
    for row in ROWS:
        if row.figure in results and (row.of is None or row.against in results):
            yield row


def _value(measured: Measured) -> float:
    return median(measured) if isinstance(measured, list) else measured


def _span(measured: Measured) -> str:
    if not isinstance(measured, list):
        return ""
    return f"{_number(min(measured))} to {_number(max(measured))}, {len(measured)} runs"


def _ratio(row: Row, results: dict[str, Any]) -> float | None:
    if row.against not in results or not _value(results[row.against]):
        return None
    return _value(results[row.figure]) / _value(results[row.against])


def _wanted(row: Row) -> Iterator[str]:
    if row.least is not None:
        yield f"≥ {_number(row.least)}"
    if row.most is not None:
        yield f"≤ {_number(row.most)}"
    if row.least_ratio is not None:
        yield f"≥ {row.least_ratio} x"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"
