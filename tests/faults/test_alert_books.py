"""The auditor's judgement of alerts: a right life passes, each way to be wrong is named."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.alerts.rule import AlertRule
from shared.delivery.plan import Partition
from tests.faults import alerts, breaches
from tests.faults.alerts import Alert, Step, Told
from tests.faults.books import Finding
from tests.faults.breaches import Minute, Rule

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PLACE = Partition("alerts.v1", 0)
LIFE = ("pending", "firing", "resolved")
SERIES = {"model_id": "m", "environment": "prod", "operation_type": "chat", "variant": ""}
RULE = Rule("acme", "rule", AlertRule(name="errors", operator=">", warning=0.2))

Change = Callable[[list[Told]], Any]


def told(number: int, state: str, **changes: Any) -> Told:
    """A step, one per second."""
    body = {
        "event_id": f"step {changes.get('alert_id', 'a')} {number}",
        "tenant_id": "acme",
        "occurred_at": (NOON + timedelta(seconds=number)).isoformat(),
        "alert_id": "a",
        "rule_id": "rule",
        "labels": {"model_id": "m", "environment": "prod"},
        "state": state,
        "severity": "warning",
        "step": number,
        "started_at": NOON.isoformat(),
        "sample": 100,
        "value": 0.4,
    }
    return Told(PLACE, number, body | changes)


def audited(topic: list[Told], steps: list[Step], *, read_to: int = 10) -> list[Finding]:
    """All that the auditor holds against what was told and kept."""
    return [
        *alerts.copies(topic),
        *alerts.kept(topic, steps, {PLACE: read_to}),
        *alerts.lives(topic),
        *alerts.one_at_a_time(topic),
    ]


def life() -> list[Told]:
    """A whole one, its first step told twice."""
    steps = [told(number, state) for number, state in enumerate(LIFE, 1)]
    return [steps[0], *steps]


def as_kept(topic: list[Told]) -> list[Step]:
    """What Postgres has of it."""
    return list({one.body["event_id"]: alerts.step_of(one.body) for one in topic}.values())


def test_a_right_life_passes() -> None:
    assert audited(life(), as_kept(life())) == []


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        pytest.param(lambda all_: all_.append(told(3, "firing")), "double", id="two under an id"),
        pytest.param(lambda all_: all_.pop(2), "lost", id="a step is missing"),
        pytest.param(lambda all_: all_.append(told(4, "firing")), "different", id="after the end"),
        pytest.param(
            lambda all_: all_.append(told(3, "resolved", event_id="x")), "double", id="number twice"
        ),
        pytest.param(
            lambda all_: all_.append(told(1, "pending", alert_id="b")), "double", id="two at once"
        ),
    ],
)
def test_a_wrong_life_is_noticed(change: Change, kind: str) -> None:
    topic = life()
    change(topic)
    assert {one.kind for one in audited(topic, as_kept(topic))} >= {kind}


def test_what_postgres_has_is_what_was_told() -> None:
    topic, steps = life(), as_kept(life())
    changed = [*steps[:2], steps[2]._replace(state="firing")]
    assert [one.kind for one in audited(topic, steps[:2])] == ["lost"]
    assert [one.kind for one in audited(topic, steps[:2], read_to=3)] == ["behind"]
    assert [one.kind for one in audited(topic, changed)] == ["different"]
    assert "double" in {one.kind for one in audited(topic, [*steps, steps[2]])}
    assert "double" in {one.kind for one in audited(topic[:3], steps)}
    latest = [Alert("acme", "a", "rule", {}, "resolved", 3)]
    assert list(alerts.latest(steps, latest)) == []
    assert [one.kind for one in alerts.latest(steps[:2], latest)] == ["different"]


def minute(*, failed: int, n: int = 100, ago: int = 5) -> Minute:
    """A minute of the series."""
    start = int(NOON.timestamp()) - 60 * ago
    return Minute("acme", SERIES, start, n, n - failed)


def an_alert(state: str) -> Alert:
    """One of the rule about the series."""
    return Alert("acme", "a", "rule", SERIES, state, 1)


@pytest.mark.parametrize(
    ("held", "open_is_wrong", "none_is_wrong"),
    [
        pytest.param(minute(failed=40), False, True, id="surely bad"),
        pytest.param(minute(failed=25), False, False, id="bad, not surely"),
        pytest.param(minute(failed=15), False, False, id="between recovery and limit"),
        pytest.param(minute(failed=10), True, False, id="well"),
        pytest.param(minute(failed=20, n=20), False, False, id="too few"),
        pytest.param(minute(failed=40, ago=60), False, True, id="still in the window"),
        pytest.param(minute(failed=40, ago=61), False, False, id="out of it"),
    ],
)
def test_an_alert_fits_its_minutes(
    held: Minute, *, open_is_wrong: bool, none_is_wrong: bool
) -> None:
    now = NOON.timestamp() + 30
    for state in ("pending", "firing", "acknowledged"):
        found = list(breaches.fitting([RULE], [an_alert(state)], [held], now))
        assert bool(found) == open_is_wrong
    for none in ([], [an_alert("resolved")]):
        assert bool(list(breaches.fitting([RULE], none, [held], now))) == none_is_wrong


def test_while_the_window_slides_nobody_is_sure() -> None:
    held, now = minute(failed=40, ago=60), NOON.timestamp() + 60 + 5
    assert list(breaches.fitting([RULE], [], [held], now)) == []
    assert list(breaches.fitting([RULE], [an_alert("firing")], [held], now)) == []


def test_an_open_alert_needs_its_rule() -> None:
    off = RULE._replace(rule=RULE.rule.model_copy(update={"enabled": False}))
    for rules in ([], [off]):
        assert list(breaches.fitting(rules, [an_alert("firing")], [], NOON.timestamp()))


@pytest.mark.parametrize(
    ("changes", "is_right"),
    [
        ({}, True),
        ({"sample": 50, "value": 0.2}, True),
        ({"sample": 101, "value": 40 / 101}, False),
        ({"value": 0.41}, False),
        ({"value": 0.405}, False),
    ],
)
def test_what_fires_says_what_its_rows_can_have_been(
    changes: dict[str, Any], *, is_right: bool
) -> None:
    body = told(2, "firing", **changes).body
    assert (list(breaches.stated([RULE], [body], [minute(failed=40)])) == []) == is_right
