"""A rule that makes no sense is refused, with the field and the remedy."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from shared.alerts.ready_made import READY_MADE
from shared.alerts.rule import AlertRule

BURNING = {"operator": ..., "warning": ...}
PAST = {"kind": "same_hour_last_week", "delta": 0.1}
VERSION = {"kind": "previous_version", "delta": 0.1}
AGENT = {"agent_id": "a"}
LIMITS = {"name": "r", "metric": "error_rate", "operator": ">", "warning": 0.05}


def made(**changes: Any) -> AlertRule:
    fields = {name: value for name, value in (LIMITS | changes).items() if value is not ...}
    return AlertRule.model_validate_json(json.dumps(fields))


def test_what_is_not_said_has_the_documented_default() -> None:
    rule = made()
    assert (rule.window, rule.group_by, rule.min_sample) == ("1h", ("model_id", "environment"), 25)
    assert (rule.gate, rule.no_data, rule.renotify_s) == ("interval", "keep", 14_400)
    assert (rule.hold_for_s, rule.channels, rule.enabled) == (0, None, True)


def test_it_survives_its_own_json() -> None:
    for rule in (made(group_by=["model_id", "variant"]), *READY_MADE):
        assert AlertRule.model_validate_json(rule.model_dump_json()) == rule


def test_agents_and_versions_are_counted_from_rows() -> None:
    assert not made(filter={"model_id": "m"}).needs_rows
    assert not made(**BURNING, baseline=PAST).needs_rows
    assert made(filter=AGENT, window="24h").needs_rows
    assert made(**BURNING, baseline=VERSION, filter={"model_id": "m"}).needs_rows


def test_a_baseline_of_what_is_no_share_may_be_as_large_as_one_likes() -> None:
    rule = made(**BURNING, metric="cost_usd.total", baseline=PAST | {"delta": 5})
    assert (rule.window, rule.baseline and rule.baseline.delta) == ("1h", 5)


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"metric": "eror_rate"}, "metric", "error_rate"),
        ({"window": "3h"}, "window", "5m, 15m, 1h, 24h, 7d"),
        ({"operator": "=>"}, "operator", "'>='"),
        ({"operator": ...}, "", "exactly one of operator"),
        ({"warning": ...}, "", "needs warning, critical or both"),
        ({"warning": "0.1"}, "warning", "number"),
        ({"critical": 0.01}, "", "recovery <= warning <= critical"),
        ({"recovery": 0.06}, "", "recovery <= warning <= critical"),
        ({"warning": 5}, "", "between 0 and 1"),
        ({"operator": "<", "warning": 0.9, "critical": 0.95}, "", "the other way round"),
        ({"baseline": PAST}, "", "exactly one of"),
        ({"burn_rate": {"slo": 0.9}}, "", "exactly one of"),
        (BURNING | {"baseline": PAST, "window": "24h"}, "window", "compares hours: use window 1h"),
        (BURNING | {"baseline": PAST | {"delta": 5}}, "baseline", "delta lies below 1"),
        (BURNING | {"baseline": PAST, "recovery": 0.1}, "recovery", "leave recovery out"),
        (BURNING | {"baseline": PAST | {"delta": 0}}, "baseline.delta", "greater than 0"),
        (BURNING | {"burn_rate": {"slo": 1}}, "burn_rate.slo", "less than 1"),
        ({"group_by": ["environment"]}, "group_by", "must contain model_id"),
        ({"group_by": ["model_id", "model_id"]}, "group_by", "each name once"),
        ({"filter": AGENT, "window": "7d"}, "", "at most 24h"),
        ({"filter": AGENT, "metric": "feedback.rating"}, "", "neither agent nor version"),
        (BURNING | {"filter": AGENT, "burn_rate": {"slo": 0.9}}, "", "an operator and limits"),
        (BURNING | {"filter": AGENT, "baseline": PAST}, "", "an operator and limits"),
        (BURNING | {"baseline": VERSION, "metric": "cost_usd.total"}, "", "a total tells"),
        (BURNING | {"baseline": VERSION, "metric": "feedback.helpful"}, "", "neither agent nor"),
        (BURNING | {"baseline": VERSION, "window": "24h"}, "window", "use window 1h"),
        ({"min_sample": 0}, "min_sample", "greater than or equal to 1"),
        ({"renotify_s": 5}, "renotify_s", "greater than or equal to 60"),
        ({"filter": {"model": "m"}}, "filter.model", "not permitted"),
        ({"thresold": 1}, "thresold", "not permitted"),
        ({"channels": ["x"]}, "channels.0", "UUID"),
        ({"labels": {"team": ""}}, "labels.team", "at least 1"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(changes: dict[str, Any], field: str, says: str) -> None:
    with pytest.raises(ValidationError) as refused:
        made(**changes)
    (error,) = refused.value.errors()
    assert ".".join(map(str, error["loc"])) == field
    assert says in error["msg"]
