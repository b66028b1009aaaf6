"""Steps and epochs of one test come one after the other, whichever clocks their writers have."""

from datetime import datetime, timedelta

import pytest

from shared.experiments.epochs import next_instant
from tests.support.abtests import NOON, epochs

HOUR, LEAST = timedelta(hours=1), timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("now", "last_step", "expected"),
    [
        pytest.param(NOON + HOUR, None, NOON + HOUR, id="now, if nothing was later"),
        pytest.param(NOON + HOUR, NOON, NOON + HOUR, id="now, after the last step"),
        pytest.param(NOON - HOUR, None, NOON + LEAST, id="after the last epoch"),
        pytest.param(NOON, NOON, NOON + LEAST, id="after both at the same instant"),
        pytest.param(NOON, NOON + HOUR, NOON + HOUR + LEAST, id="after a step from the future"),
    ],
)
def test_what_comes_next_comes_later(
    now: datetime, last_step: datetime | None, expected: datetime
) -> None:
    assert next_instant(now, last_step, epochs({"a": 1})) == expected


def test_the_first_is_now() -> None:
    assert next_instant(NOON, None, ()) == NOON
