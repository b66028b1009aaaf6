"""A running test as the gateway keeps it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from services.gateway.domain.experiments import KeptTest, stored_values
from shared.experiments.epochs import first_epoch
from shared.experiments.lifecycle import State
from tests.support.experiments import NOON, config

TEST_ID = UUID("0192f0c0-0000-7000-8000-00000000000a")


def kept(minute: int = 0, **changes: Any) -> KeptTest:
    """With two variants of a half each, changed last so many minutes after noon."""
    configured = config(key=changes.pop("key", "checkout-model"))
    test = KeptTest(
        tenant_id="acme",
        test_id=TEST_ID,
        config=configured,
        state=State.RUNNING,
        epochs=(first_epoch(configured, "s", (), NOON),),
        winner=None,
        created_at=NOON,
        created_by="key:one",
        updated_at=NOON + timedelta(minutes=minute),
        started_at=NOON,
        ended_at=None,
    )
    return replace(test, **changes)


def row(test: KeptTest) -> dict[str, Any]:
    """As Postgres answers it."""
    _, body, state, epochs, started_at, ended_at = stored_values(test)
    return {
        "tenant_id": test.tenant_id,
        "test_id": test.test_id,
        "body": body,
        "state": state,
        "epochs": epochs,
        "winner": test.winner,
        "created_at": test.created_at,
        "created_by": test.created_by,
        "updated_at": test.updated_at,
        "started_at": started_at,
        "ended_at": ended_at,
    }
