"""The life of an alert: whatever the looks say, its order is kept; a step has its own id."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.alerts.finding import Finding
from shared.alerts.machine import Alert, State, Step, acknowledge, advance, began, resolve
from shared.alerts.rule import AlertRule, Severity

NOON = datetime(2027, 1, 15, 12, tzinfo=UTC)
RULE = AlertRule(name="r", metric="error_rate", operator=">", warning=0.05, critical=0.2)
WARNING, CRITICAL = Severity.WARNING, Severity.CRITICAL


def seen(severity: Severity | None, cleared: Severity | None = None) -> Finding:
    return Finding(severity, cleared, 0.1, 0.05, None, None, 100, "1h", "a reason.")


WARN, PAGE, WELL = seen(WARNING), seen(CRITICAL), seen(None, WARNING)
BETTER, SO_SO = seen(WARNING, CRITICAL), seen(None)
BETWEEN = seen(None, CRITICAL)
LOOKS = {"w": WARN, "c": PAGE, ".": WELL, "b": BETTER, "?": SO_SO, "s": BETWEEN}


def play(looks: str, rule: AlertRule = RULE, every_s: int = 5) -> list[Step]:
    """Steps of a series of looks; `A` is somebody's acknowledgement for a minute, `R` their end."""
    alert: Alert | None = None
    told: list[Step] = []
    for number, letter in enumerate(looks):
        now = NOON + timedelta(seconds=every_s * number)
        begin = partial(began, UUID(int=1), "m", now=now)
        if letter == "A":
            steps: Sequence[Step] = []
            if alert:
                alert, steps = acknowledge(alert, now + timedelta(minutes=1), "ann", "on it", now)
        elif letter == "R":
            steps = []
            if alert:
                alert, steps = resolve(alert, "ann", "known", now)
        else:
            alert, steps = advance(rule, alert, LOOKS[letter], now, begin)
        told += steps
    return told


def states(looks: str, **changes: Any) -> str:
    every_s = changes.pop("every_s", 5)
    told = play(looks, RULE.model_copy(update=changes), every_s)
    short = {State.PENDING: "p", State.FIRING: "f", State.ACKNOWLEDGED: "a", State.RESOLVED: "r"}
    return " ".join(
        short[one.alert.state] + ("!" if one.alert.severity is CRITICAL else "") for one in told
    )


@pytest.mark.parametrize(
    ("looks", "told"),
    [
        pytest.param("....", "", id="all is well"),
        pytest.param("w", "p", id="one bad look is only pending"),
        pytest.param("w.", "p r", id="what did not last is over"),
        pytest.param("w?", "p", id="one look without an opinion ends nothing"),
        pytest.param("w??", "p r", id="what is not bad any more is not pending"),
        pytest.param("ww", "p f", id="two bad looks in a row fire"),
        pytest.param("w?w", "p f", id="a look without an opinion breaks no row"),
        pytest.param("wwwwww", "p f", id="told once"),
        pytest.param("ww?????", "p f", id="not surely bad is not well"),
        pytest.param("ww.", "p f", id="one good look ends nothing"),
        pytest.param("ww.w.w.", "p f", id="it does not flap"),
        pytest.param("ww..", "p f r", id="two good looks end it"),
        pytest.param("ww..ww", "p f r p f", id="and later there is another"),
        pytest.param("cc", "p! f!", id="critical at once"),
        pytest.param("cw", "p! f", id="critical once is a warning"),
        pytest.param("wc", "p f", id="and so is critical at the second look only"),
        pytest.param("wcc", "p f f!", id="it takes two to be critical"),
        pytest.param("wwcc", "p f f!", id="it rises"),
        pytest.param("wwcwcw", "p f", id="it does not rise and fall"),
        pytest.param("ccbb", "p! f! f", id="it falls"),
        pytest.param("ccww", "p! f!", id="a warning is no fall before critical is cleared"),
        pytest.param("wwA", "p f a", id="somebody takes it"),
        pytest.param("wwAcc", "p f a f!", id="whoever took a warning hears that it is critical"),
        pytest.param("wwA..", "p f a r", id="what somebody took ends"),
        pytest.param("wwR", "p f r", id="somebody ends it"),
        pytest.param("wwRww", "p f r p f", id="what is ended and still bad begins anew"),
        pytest.param("wA", "p", id="nobody can take what is only pending"),
    ],
)
def test_lives(looks: str, told: str) -> None:
    assert states(looks) == told


def test_a_rule_with_critical_alone_fires_critical() -> None:
    assert states("c?c", warning=None) == "p! f!"


def test_between_its_limits_a_pending_alert_is_not_over() -> None:
    assert states("wsw") == "p f"


def test_it_must_hold_as_long_as_the_rule_says() -> None:
    assert states("wwww", hold_for_s=15) == "p f"
    assert states("www", hold_for_s=15) == "p"


def test_people_are_told_again() -> None:
    assert states("wwwwww", renotify_s=60, every_s=30) == "p f f f"


def test_an_acknowledgement_expires() -> None:
    assert states("wwAwww", every_s=30) == "p f a f"


@given(st.text("wc.b?AR", max_size=60), st.sampled_from([5, 30, 600]))
def test_whatever_comes_the_order_is_kept(looks: str, every_s: int) -> None:
    told = play(looks, every_s=every_s)
    assert len({one.step_id for one in told}) == len(told)
    episodes: dict[UUID, list[Step]] = {}
    for one in told:
        episodes.setdefault(one.alert.alert_id, []).append(one)
    for steps in episodes.values():
        assert [one.number for one in steps] == list(range(1, len(steps) + 1))
        assert steps[0].alert.state is State.PENDING
        assert all(one.alert.state is not State.PENDING for one in steps[1:])
        ends = [one for one in steps if one.alert.state is State.RESOLVED]
        assert ends in ([], [steps[-1]])
        if any(one.alert.state is State.ACKNOWLEDGED for one in steps):
            assert steps[1].alert.state is State.FIRING


@given(st.text("wc.b?", max_size=40))
def test_the_same_looks_tell_the_same(looks: str) -> None:
    assert play(looks) == play(looks)
