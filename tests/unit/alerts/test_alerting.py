"""Rules over a model's series: every group has its own alert, and silence is a group's own too."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from services.metrics.domain.alerting import Change, KeptRule, Place, judge_rule
from shared.alerts.grouping import Group, Grouped, is_of
from shared.alerts.machine import Alert, State
from shared.alerts.rule import AlertRule
from shared.measures.cells import Cell, Series

NOON = datetime(2027, 1, 15, 12, tzinfo=UTC)
GOOD: Cell = {"n": 100, "ok": 100}
BAD: Cell = {"n": 100, "ok": 50}
LIVE, TRIAL = Series("m", "production", "chat", ""), Series("m", "staging", "chat", "")


def rule(**fields: Any) -> KeptRule:
    limits = {"name": "r", "metric": "error_rate", "operator": ">", "warning": 0.1}
    return KeptRule(UUID(int=1), AlertRule.model_validate(limits | fields))


def play(
    of: KeptRule, hour: Mapping[Series, Cell], quiet_s: float = 0, looks: int = 2
) -> tuple[dict[Place, Alert], list[Change]]:
    alerts: dict[Place, Alert] = {}
    told: list[Change] = []
    sums = {"1h": {} if quiet_s else hour, "7d": hour}
    for look in range(looks):
        now = NOON + timedelta(seconds=5 * look)
        arrived = dict.fromkeys(hour, NOON.timestamp() - quiet_s)
        for change in judge_rule(of, alerts, Grouped(sums, arrived), now):
            told.append(change)
            if change.alert is None:
                del alerts[change.place]
            else:
                alerts[change.place] = change.alert
    return alerts, told


def group(**labels: str) -> Group:
    return Group(tuple(labels.items()))


def test_each_environment_has_its_own_alert() -> None:
    alerts, told = play(rule(), {LIVE: GOOD, TRIAL: BAD})
    assert [place.group for place in alerts] == [group(model_id="m", environment="staging")]
    assert [one.steps[0].alert.state for one in told] == [State.PENDING, State.FIRING]


def test_what_a_rule_does_not_tell_apart_is_summed() -> None:
    both = {LIVE: GOOD, TRIAL: BAD}
    alerts, _ = play(rule(group_by=["model_id"]), both)
    ((place, alert),) = alerts.items()
    assert place.group == group(model_id="m")
    assert alert.state is State.FIRING
    calm, _ = play(rule(group_by=["model_id"], warning=0.3), both)
    assert calm == {}, "25 % of all of them failed"


def test_a_filter_leaves_out_the_rest() -> None:
    kept = {"environment": "production"}
    assert play(rule(filter=kept), {LIVE: GOOD, TRIAL: BAD})[0] == {}


def test_a_silent_group_is_told_apart_by_policy() -> None:
    seen = {LIVE: GOOD}
    assert play(rule(), seen, quiet_s=7_200)[0] == {}
    alerts, told = play(rule(no_data="alert"), seen, quiet_s=7_200)
    assert [alert.state for alert in alerts.values()] == [State.FIRING]
    assert "Nothing came for 120 minutes" in told[-1].steps[0].reason
    assert play(rule(no_data="alert"), seen, quiet_s=7_190)[0] == {}


def test_nothing_is_said_of_what_did_not_change() -> None:
    _, told = play(rule(), {TRIAL: BAD}, looks=20)
    assert len([one for one in told if one.steps]) == 2


def test_a_rule_that_changed_lets_go_of_groups_it_finds_no_more() -> None:
    live = group(model_id="m", environment="production")
    assert is_of(rule().rule, live)
    assert is_of(rule(filter={"model_id": "m", "variant": "b"}).rule, live)
    assert not is_of(rule(filter={"environment": "staging"}).rule, live)
    assert not is_of(rule(group_by=["model_id"]).rule, live)


def test_an_alert_of_which_nothing_is_known_any_more_ends() -> None:
    of = rule()
    alerts, _ = play(of, {TRIAL: BAD})
    (ended,) = judge_rule(of, alerts, Grouped({}, {}), NOON + timedelta(days=8))
    assert ended.alert is None
    assert ended.steps[0].reason == "Nothing is known of it any more."
