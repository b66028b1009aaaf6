"""What an attempt means: done, again later, or never."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.domain.delivery import Delivery, State
from services.notify.domain.retrying import MOST_WAIT, Attempt, outcome
from tests.support.alerts import step

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
KINDS = ["webhook", "slack", "pagerduty", "alertmanager"]


def delivery(attempts: int = 0, age_h: float = 0) -> Delivery:
    made = NOW - timedelta(hours=age_h)
    return Delivery(uuid4(), State.SENDING, attempts, made, step(2, "firing", at=made))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("status", [200, 202, 204])
def test_taken_is_taken(kind: str, status: int) -> None:
    assert outcome(kind, delivery(), Attempt(status), NOW).state is State.DELIVERED


@pytest.mark.parametrize(
    ("kind", "status", "state"),
    [
        ("webhook", 500, State.PENDING),
        ("webhook", 404, State.PENDING),
        ("webhook", 302, State.PENDING),
        ("webhook", 410, State.FAILED),
        ("slack", 404, State.FAILED),
        ("slack", 429, State.PENDING),
        ("pagerduty", 400, State.FAILED),
        ("pagerduty", 503, State.PENDING),
        ("alertmanager", 400, State.FAILED),
        ("alertmanager", 500, State.PENDING),
    ],
)
def test_what_can_be_mended_is_tried_again(kind: str, status: int, state: State) -> None:
    found = outcome(kind, delivery(), Attempt(status), NOW)
    assert found.state is state
    assert str(status) in found.reason


def test_slack_is_not_told_twice_what_may_have_arrived() -> None:
    cut = Attempt(None, "no answer within 10 s", may_have_arrived=True)
    assert outcome("slack", delivery(), cut, NOW).state is State.UNKNOWN
    assert outcome("webhook", delivery(), cut, NOW).state is State.PENDING
    never = Attempt(None, "cannot connect")
    assert outcome("slack", delivery(), never, NOW).state is State.PENDING


def test_a_test_is_tried_once_and_a_day_is_enough() -> None:
    tried = Delivery(uuid4(), State.SENDING, 0, NOW)
    assert outcome("webhook", tried, Attempt(500), NOW).state is State.FAILED
    assert outcome("webhook", delivery(30, age_h=25), Attempt(500), NOW).state is State.FAILED
    released = replace(delivery(1, age_h=72), released_at=NOW - timedelta(minutes=1))
    assert outcome("webhook", released, Attempt(500), NOW).state is State.PENDING
    forbidden = Attempt(None, "url leads to a private address", is_forbidden=True)
    assert outcome("webhook", delivery(), forbidden, NOW).state is State.FAILED


@given(
    attempts=st.integers(0, 10_000),
    asked=st.none() | st.integers(0, 999_999).map(lambda s: timedelta(seconds=s)),
)
def test_waits_grow_are_bounded_and_respect_what_was_asked(
    attempts: int, asked: timedelta | None
) -> None:
    now, more = (
        outcome("webhook", delivery(n), Attempt(503, retry_after=asked), NOW).again_after
        for n in (attempts, attempts + 1)
    )
    assert now is not None
    assert more is not None
    assert timedelta(seconds=5) <= now <= more <= MOST_WAIT
    if asked is not None:
        assert now >= min(asked, MOST_WAIT)
