"""Which hour is the same hour last week."""

from datetime import UTC, datetime

import pytest

from shared.alerts.looking import past_hour, windows_of
from shared.alerts.rule import AlertRule


@pytest.mark.parametrize(
    ("now", "begins"),
    [
        pytest.param("2027-01-15T13:00:00", "2027-01-08T12:00:00", id="as an hour ends"),
        pytest.param("2027-01-15T13:00:05", "2027-01-08T12:00:00", id="just after that"),
        pytest.param("2027-01-15T13:29:59.9", "2027-01-08T12:00:00", id="half of it still"),
        pytest.param("2027-01-15T13:30:00", "2027-01-08T13:00:00", id="half of the next"),
        pytest.param("2027-01-03T00:10:00", "2026-12-26T23:00:00", id="in another year"),
    ],
)
def test_it_is_the_whole_hour_nearest_to_the_last_sixty_minutes(now: str, begins: str) -> None:
    start, end = past_hour(datetime.fromisoformat(now).replace(tzinfo=UTC).timestamp())
    assert datetime.fromtimestamp(start, UTC).isoformat() == f"{begins}+00:00"
    assert end - start == 3_600


def test_a_baseline_looks_at_the_last_hour_and_at_that_one() -> None:
    past = {"kind": "same_hour_last_week", "delta": 0.1}
    assert windows_of(AlertRule.model_validate({"name": "r", "baseline": past})) == ("1h", "1h@7d")
