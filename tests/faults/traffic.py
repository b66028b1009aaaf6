"""Traffic of every kind, decided by a seed: events, repeats, reused ids, feedback, poison."""

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from tests.faults.journal import Intent
from tests.support.events import encoded, feedback, operation
from tests.support.poison import poison
from tests.support.system import Record

TENANTS = ("acme", "globex")
POISON_IDS = 50_000_000
TOO_LARGE = 100_000
MOST_REMEMBERED = 5_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Pair = tuple[Intent, Record]


class Mix(NamedTuple):
    """Shares of what is not simply an operation, and of feedback that names its model."""

    repeats: float = 0.03
    reuses: float = 0.01
    poison: float = 0.03
    feedback: float = 0.10
    named: float = 0.3


USUAL = Mix()


class Maker:
    """Makes records, and what is to become of each."""

    def __init__(self, prefix: str, seed: int, mix: Mix = USUAL, *, first: int = 0) -> None:
        self._operations, self._feedback = (
            f"{prefix}{kind}.v1" for kind in ("operations", "feedback")
        )
        self._chance = random.Random(seed)
        self._seed = seed
        self.mix = mix
        self._number = first
        self._sent: list[Pair] = []
        self._stored: list[Pair] = []
        self._bad = [bad for bad in poison(POISON_IDS) if len(bad[1] or b"") < TOO_LARGE]

    def record(self) -> Pair:
        """The next record."""
        self._number += 1
        mix, dice = self.mix, self._chance.random()
        if self._sent and dice < mix.repeats:
            intent, record = self._chance.choice(self._sent)
            return intent._replace(number=self._number), record
        dice -= mix.repeats
        if self._stored and 0 <= dice < mix.reuses:
            return self._reused()
        dice -= mix.reuses
        if 0 <= dice < mix.poison:
            reason, value, headers = self._chance.choice(self._bad)
            record = (self._operations, b"%d" % self._number, value, headers)
            return Intent(self._number, self._operations, None, reason, {}), record
        pair = self._said() if 0 <= dice - mix.poison < mix.feedback else self._operated()
        _remember(self._sent, pair)
        return pair

    def operation(self) -> tuple[str, Intent, dict[str, Any]]:
        """Tenant and event of one more valid operation, for the gateway."""
        self._number += 1
        return _for_the_gateway(self._operated())

    def said(self) -> tuple[str, Intent, dict[str, Any]]:
        """The same of feedback."""
        self._number += 1
        return _for_the_gateway(self._said())

    def acknowledged(self, pair: Pair) -> None:
        """Kafka has it: its identity may be used again, with another body."""
        if pair[0].reason is None:
            _remember(self._stored, pair)

    def _operated(self) -> Pair:
        tenant = self._chance.choice(TENANTS)
        name = f"op-{self._seed}-{self._number}"
        changes: dict[str, Any] = {"tenant_id": tenant, "agent_id": tenant, "operation_id": name}
        if self._number % 4 == 0:
            changes["model_id"] = f"only-{tenant}"
        event = operation(self._number, **changes)
        facts = {
            "operation": name,
            "model": event["model_id"],
            "n": 1,
            "ok": int(event["success"]),
            "tin": event["input_tokens"],
            "tout": event["output_tokens"],
            "cost_nano": round(event["cost_usd"] * 1e9),
            "rt_us": round(event["response_time_ms"] * 1000),
        }
        return self._pair(self._operations, event, facts)

    def _said(self) -> Pair:
        """Feedback, most of it on an operation that was sent before or will be sent soon."""
        about = max(1, self._number + self._chance.randint(-300, 20))
        tenant = self._chance.choice(TENANTS)
        event = feedback(self._number, tenant_id=tenant, operation_id=f"op-{self._seed}-{about}")
        facts = {"operation": event["operation_id"], "f_n": 1, "rating": event["rating"]}
        if self._chance.random() < self.mix.named:
            event["model_id"] = facts["model"] = "named"
        return self._pair(self._feedback, event, facts)

    def _pair(self, topic: str, event: dict[str, Any], facts: dict[str, Any]) -> Pair:
        at_us = (datetime.fromisoformat(event["occurred_at"]) - EPOCH) // timedelta(microseconds=1)
        identity = (event["tenant_id"], event["event_id"], at_us)
        record = (topic, event["operation_id"].encode(), encoded(event), ())
        return Intent(self._number, topic, identity, None, facts), record

    def _reused(self) -> Pair:
        """Another body under an identity that was used before."""
        intent, (topic, key, value, _) = self._chance.choice(self._stored)
        event = json.loads(value or b"")
        event["user_id"] = f"somebody else {self._number}"
        changed = Intent(self._number, topic, intent.identity, "event_id_reuse", {})
        return changed, (topic, key, encoded(event), ())


def _for_the_gateway(pair: Pair) -> tuple[str, Intent, dict[str, Any]]:
    event = json.loads(pair[1][2] or b"")
    return event.pop("tenant_id"), pair[0], event


def _remember(pairs: list[Pair], pair: Pair) -> None:
    pairs.append(pair)
    if len(pairs) > 2 * MOST_REMEMBERED:
        del pairs[:MOST_REMEMBERED]
