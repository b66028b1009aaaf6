"""Bugs on the way out: what is answered before it is safe, and what is told twice."""

from typing import Any
from unittest.mock import patch

from services.metrics import app as metrics_app
from shared import producer
from tests.faults.mutants.register import mutant

FENCE = "if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end"


@mutant
def acks_1() -> None:
    """The leader's word is enough for a 202."""
    original: Any = producer.AIOKafkaProducer  # type: ignore[attr-defined]

    def hasty(**options: Any) -> Any:
        # An idempotent producer would insist on all replicas.
        return original(**(options | {"acks": 1, "enable_idempotence": False}))

    producer.AIOKafkaProducer = hasty  # type: ignore[attr-defined]


@mutant
def alert_evaluated_twice() -> None:
    """Whoever comes may move an alert on and tell of it."""
    original: Any = metrics_app.RedisAlerts  # type: ignore[attr-defined]

    def unfenced(client: Any, now: Any) -> Any:
        register = client.register_script

        def without(script: str) -> Any:
            assert FENCE in script
            return register(script.replace(FENCE, ""))

        with patch.object(client, "register_script", without):
            return original(client, now)

    metrics_app.RedisAlerts = unfenced  # type: ignore[assignment, attr-defined]
