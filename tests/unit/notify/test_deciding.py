"""What is told, held or dropped, and that nothing is dropped without a word."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.domain.deciding import SEND, Around, Quiet, decide
from services.notify.domain.delivery import HELD, Delivery, State, Target
from services.notify.domain.planning import Listener, planned
from shared.events.alert import AlertEvent
from shared.events.experiment import ExperimentEvent
from tests.support.alerts import step
from tests.support.experiments import identity_of, told

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
CHANNEL = UUID("0192f0c0-0000-7000-8000-0000000000c1")
PRODUCTION = {"model_id": "gpt", "environment": "production"}


def target(kind: str = "webhook", *, send_resolved: bool = True) -> Target:
    return Target("acme", CHANNEL, "ops", kind, "https://example.com", None, send_resolved)


def delivery(event: AlertEvent | ExperimentEvent | None, **changes: Any) -> Delivery:
    members: dict[str, Any] = {"state": State.PENDING, "attempts": 0, "created_at": NOW}
    return Delivery(uuid4(), event=event, **(members | changes))


def around(*silences: Quiet, criticals: tuple[AlertEvent, ...] = ()) -> Around:
    return Around(NOW, silences, criticals)


def quiet(hours: float = 1, **matchers: str) -> Quiet:
    return Quiet(uuid4(), matchers, NOW - timedelta(hours=1), NOW + timedelta(hours=hours))


def test_what_fires_is_told() -> None:
    assert decide(target(), delivery(step(2, "firing", at=NOW)), around()) == SEND
    assert decide(target(), delivery(None), around()) == SEND


@pytest.mark.parametrize(
    "matchers",
    [
        {"model_id": "gpt"},
        {"environment": "production", "severity": "warning"},
        {"rule_name": "errors"},
    ],
)
def test_a_silence_holds_what_it_names_and_looks_again(matchers: dict[str, str]) -> None:
    firing = delivery(step(2, "firing", at=NOW))
    state, reason, again_after = decide(target(), firing, around(quiet(**matchers)))
    assert (state, reason[:8]) == (State.SILENCED, "silence ")
    assert again_after


@pytest.mark.parametrize("matchers", [{"model_id": "other"}, {"model_id": "gpt", "team": "x"}])
def test_a_silence_that_names_something_else_holds_nothing(matchers: dict[str, str]) -> None:
    firing = delivery(step(2, "firing", at=NOW))
    assert decide(target(), firing, around(quiet(**matchers))) == SEND


def test_a_silence_that_is_over_lets_what_still_fires_be_told() -> None:
    held = delivery(step(2, "firing", at=NOW - timedelta(days=3)), state=State.SILENCED)
    assert decide(target(), held, around(quiet(hours=-0.5, model_id="gpt"))) == SEND


def test_what_ended_while_it_was_held_is_told_to_nobody() -> None:
    held = delivery(step(2, "firing", at=NOW), state=State.SILENCED, is_last=False)
    assert decide(target(), held, around())[::2] == (State.SILENCED, None)
    ended = delivery(step(3, "resolved", at=NOW))
    assert decide(target(), ended, around())[::2] == (State.SKIPPED, None)


def test_a_resolution_is_told_to_who_heard_of_the_alert_even_in_a_silence() -> None:
    ended = delivery(step(3, "resolved", at=NOW), was_told=True)
    assert decide(target(), ended, around(quiet(model_id="gpt"))) == SEND
    deaf = decide(target(send_resolved=False), ended, around())
    assert deaf[::2] == (State.SKIPPED, None)


@pytest.mark.parametrize(
    ("labels", "is_held"),
    [
        (PRODUCTION, True),
        ({"model_id": "gpt"}, True),
        ({"model_id": "gpt", "environment": "staging"}, False),
    ],
)
def test_a_warning_is_not_told_beside_a_critical_alert_of_its_group(
    labels: dict[str, str], is_held: bool
) -> None:
    critical = step(2, "firing", "other", at=NOW, severity="critical", labels=labels)
    warning = delivery(step(2, "firing", at=NOW))
    found = decide(target(), warning, around(criticals=(critical,)))
    assert (found.state is State.INHIBITED) == is_held
    louder = delivery(step(3, "firing", at=NOW, severity="critical"))
    assert decide(target(), louder, around(criticals=(critical,))) == SEND


def test_an_alert_does_not_inhibit_itself() -> None:
    critical = step(2, "firing", at=NOW, severity="critical")
    softer = delivery(step(3, "firing", at=NOW), was_told=True)
    assert decide(target(), softer, around(criticals=(critical,))) == SEND


def test_what_is_a_day_old_is_told_to_nobody() -> None:
    old = delivery(step(2, "firing", at=NOW - timedelta(hours=25)))
    assert decide(target(), old, around())[::2] == (State.EXPIRED, None)


def test_what_was_held_for_days_is_as_young_as_its_release() -> None:
    event = step(2, "firing", at=NOW - timedelta(days=3))
    once_failed = delivery(event, attempts=1, released_at=NOW - timedelta(minutes=5))
    assert decide(target(), once_failed, around()) == SEND


def test_a_test_that_nobody_waits_for_is_not_sent() -> None:
    old = delivery(None, created_at=NOW - timedelta(minutes=5))
    assert decide(target(), old, around())[::2] == (State.EXPIRED, None)


def test_what_may_have_arrived_is_sent_again_only_where_repeats_are_known() -> None:
    cut = delivery(step(2, "firing", at=NOW), state=State.SENDING)
    assert decide(target("slack"), cut, around())[::2] == (State.UNKNOWN, None)
    for kind in ("webhook", "pagerduty", "alertmanager"):
        assert decide(target(kind), cut, around()) == SEND


@given(
    state=st.sampled_from(["firing", "acknowledged", "resolved"]),
    kept=st.sampled_from(sorted(State)),
    kind=st.sampled_from(["webhook", "slack", "pagerduty", "alertmanager"]),
    flags=st.tuples(st.booleans(), st.booleans(), st.booleans(), st.booleans()),
    age_h=st.floats(0, 60),
)
def test_whatever_is_not_sent_says_why(
    state: str, kept: State, kind: str, flags: tuple[bool, bool, bool, bool], age_h: float
) -> None:
    is_last, was_told, silenced, send_resolved = flags
    event = step(3, state, at=NOW - timedelta(hours=age_h))
    one = delivery(event, state=kept, is_last=is_last, was_told=was_told)
    silences = (quiet(model_id="gpt"),) if silenced else ()
    found = decide(target(kind, send_resolved=send_resolved), one, around(*silences))
    if found.state is not None:
        assert found.reason
    if found.again_after is not None:
        assert found.state in HELD
        assert found.again_after > timedelta(0)


def test_each_channel_hears_of_what_fired_after_it_was_made() -> None:
    early = Listener("acme", CHANNEL, NOW - timedelta(days=1))
    late = Listener("acme", uuid4(), NOW + timedelta(days=1))
    foreign = Listener("globex", uuid4(), NOW - timedelta(days=1))
    events = [
        step(1, "pending", at=NOW),
        step(2, "firing", at=NOW),
        step(3, "resolved", at=NOW),
        step(2, "resolved", "never fired", at=NOW, fired_at=None),
        step(2, "firing", "elsewhere", at=NOW, channels=[uuid4()]),
        step(2, "firing", "here", at=NOW, channels=[CHANNEL]),
    ]
    found = list(planned(events, [early, late, foreign]))
    assert [(one.channel_id, one.event) for one in found] == [
        (CHANNEL, events[at]) for at in (1, 2, 5)
    ]


def test_how_an_alert_ends_is_for_all_whatever_channels_its_rule_has_by_then() -> None:
    listener = Listener("acme", CHANNEL, NOW - timedelta(days=1))
    ended = step(3, "resolved", at=NOW, channels=[uuid4()])
    assert [one.event for one in planned([ended], [listener])] == [ended]


def test_a_step_that_is_told_anew_is_one_delivery_unless_it_says_something_else() -> None:
    listener = Listener("acme", CHANNEL, NOW - timedelta(days=1))
    later = NOW + timedelta(seconds=9)
    again = [step(2, "firing", at=NOW), step(2, "firing", at=later), step(2, "resolved", at=later)]
    ids = [one.delivery_id for one in planned(again, [listener])]
    assert ids[0] == ids[1] != ids[2]


def test_a_step_of_an_ab_test_is_told_to_who_can_read_it() -> None:
    shipped = delivery(told("b", "running", "SHIP", NOW))
    for kind in ("webhook", "slack"):
        assert decide(target(kind), shipped, around()) == SEND
    for kind in ("pagerduty", "alertmanager"):
        state, why, again_after = decide(target(kind), shipped, around())
        assert (state, why, again_after) == (
            State.SKIPPED,
            "this kind of channel hears of alerts only",
            None,
        )
    old = delivery(told("b", "running", "SHIP", NOW - timedelta(hours=25)))
    assert decide(target(), old, around()).state is State.EXPIRED


@pytest.mark.parametrize(
    "matchers",
    [
        {"test_key": "b"},
        {"test_id": str(identity_of("b")), "state": "running"},
        {"verdict": "SHIP", "test_name": "Is b better?"},
    ],
)
def test_a_silence_holds_a_step_of_an_ab_test_while_it_is_the_last(
    matchers: dict[str, str],
) -> None:
    shipped = told("b", "running", "SHIP", NOW)
    state, _, again_after = decide(target(), delivery(shipped), around(quiet(**matchers)))
    assert (state, again_after is not None) == (State.SILENCED, True)
    held = delivery(shipped, state=State.SILENCED)
    assert decide(target(), held, around()) == SEND
    passed = delivery(shipped, state=State.SILENCED, is_last=False)
    assert decide(target(), passed, around()).again_after is None
    others = around(quiet(test_key="c"), quiet(model_id="gpt"))
    assert decide(target(), delivery(shipped), others) == SEND


def test_a_channel_hears_of_each_step_of_an_ab_test_once_from_its_beginning_on() -> None:
    listener = Listener("acme", CHANNEL, NOW)
    before, after = told("b", "running", None, NOW - timedelta(1)), told("b", "paused", None, NOW)
    found = list(planned([before, after, after], [listener]))
    assert [one.event for one in found] == [after, after]
    assert len({one.delivery_id for one in found}) == 1


@pytest.mark.parametrize(
    ("verdict", "before", "changes", "hears"),
    [
        ("KEEP_RUNNING", "COLLECTING", {}, False),
        ("COLLECTING", "KEEP_RUNNING", {}, False),
        ("KEEP_RUNNING", "STOP_HARM", {}, True),
        ("SHIP", "KEEP_RUNNING", {}, True),
        ("KEEP_RUNNING", None, {"actor": "key:ann"}, True),
    ],
)
def test_a_test_that_only_goes_on_is_nothing_to_tell(
    verdict: str, before: str | None, changes: dict[str, Any], *, hears: bool
) -> None:
    event = told("b", "running", verdict, NOW, previous_verdict=before, **changes)
    assert bool(list(planned([event], [Listener("acme", CHANNEL, NOW)]))) is hears
