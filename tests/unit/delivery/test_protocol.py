"""Whatever the log, the stores and the processes do, in any order: every record once, in order."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from services.metrics.service import rebuilding
from shared.delivery import incidents
from shared.delivery import runner as room
from tests.unit.delivery.machine import Delivery
from tests.unit.delivery.seeded import BUGS

STEPS = 100  # most seeded bugs take three times as many examples of 50


@pytest.fixture(autouse=True)
def in_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting, small pieces, no log lines; the machine sets how long a failure is borne."""
    silent = SimpleNamespace(info=_ignore, warning=_ignore, error=_ignore)
    for module in (room, incidents, rebuilding):
        monkeypatch.setattr(module, "log", silent)
    monkeypatch.setattr(room, "RETRY_FIRST_S", 0)
    monkeypatch.setattr(incidents, "AGAIN_AFTER_S", 0)
    monkeypatch.setattr(room, "RETRY_TOTAL_S", room.RETRY_TOTAL_S)  # restored afterwards
    monkeypatch.setattr(room, "PIECE", 3)


def test_every_record_is_applied_once_whatever_happens() -> None:
    run_state_machine_as_test(
        Delivery,
        settings=settings(
            max_examples=500,
            stateful_step_count=STEPS,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.parametrize(("where", "name", "bug"), BUGS)
def test_the_model_finds(where: Any, name: str, bug: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(where, name, bug)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(
            Delivery,
            settings=settings(
                max_examples=1_000,
                stateful_step_count=STEPS,
                derandomize=True,
                database=None,
                print_blob=False,
                phases=[Phase.generate],
                report_multiple_bugs=False,
                suppress_health_check=list(HealthCheck),
            ),
        )


def _ignore(*_: Any, **__: Any) -> None:
    pass
