"""Stored rows as the state of a test."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, get_args

from services.abtest.domain.live import LiveTest
from services.abtest.domain.state import ArmKey, ArmState, TestState
from services.abtest.domain.sums import COLUMNS
from services.abtest.domain.timeline import hours_run
from shared.experiments.metrics import MetricName
from shared.experiments.moments import Moments
from shared.experiments.quantiles import GROUPS, Sketch

Rows = Sequence[Any]  # rows of the store: members by column

_NAMES: dict[str, MetricName] = {name: name for name in get_args(MetricName)}


def test_state(test: LiveTest, arms: Rows, sums: Rows, bins: Rows, days: Rows) -> TestState:
    """All that is known of a test; `bins` may hold several rows of one group."""
    moments, sketches = _moments(sums), _sketches(bins)
    counted = [row for row in arms if row["units"] or row["multiple"]]
    last_at = max((row["last_at"] for row in counted), default=None)
    return TestState(
        test.tenant_id,
        test.test_id,
        test.state,
        test.config,
        test.epochs,
        {
            key: _arm(row, moments.get(key, {}), sketches.get(key, {}))
            for row in counted
            for key in [ArmKey(row["epoch"], row["variant"])]
        },
        sum(row["multiple"] for row in arms),
        {row["day"]: row["units"] for row in days},
        test.started_at,
        test.ended_at,
        hours_run(test.spans, last_at),
        min((row["first_at"] for row in counted), default=None),
        last_at,
        max((row["as_of"] for row in arms), default=None),
        sum(row["version"] for row in arms),
        test.past,
        test.spans,
    )


def _arm(row: Any, sums: dict[MetricName, Moments], groups: dict[int, Sketch]) -> ArmState:
    return ArmState(
        row["units"],
        row["operations"],
        row["crossovers"],
        sums,
        [groups.get(group, {}) for group in range(GROUPS)],
        list(row["ratings"]),
    )


def _moments(rows: Iterable[Any]) -> dict[ArmKey, dict[MetricName, Moments]]:
    found: dict[ArmKey, dict[MetricName, Moments]] = {}
    for row in rows:
        key = ArmKey(row["epoch"], row["variant"])
        sums = Moments(*(int(row[name]) for name in COLUMNS))
        found.setdefault(key, {})[_NAMES[row["metric"]]] = sums
    return found


def _sketches(rows: Iterable[Any]) -> dict[ArmKey, dict[int, Sketch]]:
    found: dict[ArmKey, dict[int, Counter[int]]] = {}
    for row in rows:
        groups = found.setdefault(ArmKey(row["epoch"], row["variant"]), {})
        bins = groups.setdefault(row["grp"], Counter())
        bins.update({int(key): count for key, count in json.loads(row["bins"]).items()})
    return {
        key: {
            group: {name: count for name, count in sorted(bins.items()) if count}
            for group, bins in groups.items()
        }
        for key, groups in found.items()
    }
