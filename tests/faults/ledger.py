"""What was sent, and what the stores must therefore hold: computed without Assay's own code."""

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.support.events import encoded, operation
from tests.support.poison import poison
from tests.support.system import Record

DUPLICATES = 0.03
POISON = 0.02
POISON_IDS = 50_000_000


@dataclass(slots=True)
class Ledger:
    """Records in sending order, and their sums."""

    records: list[Record] = field(default_factory=list)
    valid: int = 0
    duplicates: int = 0
    poison: Counter[str] = field(default_factory=Counter)
    sums: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(model, measure) -> total."""


def write_ledger(topic: str, events: int, seed: int) -> Ledger:
    """Shuffle valid events, repeats and every kind of poison; the seed decides all."""
    chance = random.Random(seed)
    ledger = Ledger()
    kinds = [bad for bad in poison(POISON_IDS) if bad[1] is None or len(bad[1]) < 100_000]
    for number in range(events):
        event = operation(number, operation_id=f"op-{seed}-{number}")
        record: Record = (topic, event["operation_id"].encode(), encoded(event), ())
        ledger.records.append(record)
        _count(ledger, event)
        if chance.random() < DUPLICATES:
            ledger.duplicates += 1
            ledger.records.append(record)
        if chance.random() < POISON:
            reason, value, headers = chance.choice(kinds)
            ledger.poison[reason] += 1
            ledger.records.append((topic, b"%d" % number, value, headers))
    return ledger


def _count(ledger: Ledger, event: dict[str, Any]) -> None:
    ledger.valid += 1
    model = event["model_id"]
    ledger.sums[model, "n"] += 1
    ledger.sums[model, "ok"] += int(event["success"])
    ledger.sums[model, "tin"] += event["input_tokens"]
    ledger.sums[model, "tout"] += event["output_tokens"]
    ledger.sums[model, "cost_nano"] += round(event["cost_usd"] * 1e9)
    ledger.sums[model, "rt_us"] += round(event["response_time_ms"] * 1000)
