"""Traffic about A/B tests, decided by a seed: also late, early, repeated, wrong and unreadable."""

import random
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tests.faults.lab.trial import SEPARATOR, Trial, place
from tests.support.events import encoded, feedback, now_text, operation
from tests.support.system import Record

USERS = 400
STRANGE = 4
"""So many of them see what they should not; of more, nobody would believe the test."""
BACK_S = 2_400  # before the second epoch, the pause, and the start
REPEATS, BAD, FEEDBACK, EXPOSURES, OTHERS = 0.05, 0.01, 0.25, 0.10, 0.05
UNREADABLE = (b"{", b"[]", b'{"event_id": 5}', b"\xff\xfe")


class Traffic:
    """Makes records, and remembers all of them."""

    def __init__(self, prefix: str, seed: int) -> None:
        self._prefix = prefix
        self._chance = random.Random(seed)
        self._number = 0
        self._records: list[Record] = []
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.counts: Counter[str] = Counter()

    @property
    def records(self) -> int:
        """How many went to Kafka."""
        return self.counts.total()

    def portion(self, count: int, trials: Sequence[Trial]) -> list[Record]:
        """The next records, of which some concern these tests."""
        return [self._next(trials) for _ in range(count)]

    def _next(self, trials: Sequence[Trial]) -> Record:
        self._number += 1
        dice = self._chance.random()
        if dice < REPEATS and self._records:
            self.counts["repeats"] += 1
            return self._chance.choice(self._records[-3_000:])
        if (dice := dice - REPEATS) < BAD:
            self.counts["unreadable"] += 1
            kind = self._chance.choice(("operations", "feedback", "exposures"))
            value = self._chance.choice(UNREADABLE)
            return f"{self._prefix}{kind}.v1", b"%d" % self._number, value, ()
        if (dice := dice - BAD) < FEEDBACK:
            return self._made("feedback", self._feedback())
        if dice - FEEDBACK < EXPOSURES:
            return self._made("exposures", self._exposure(self._chance.choice(trials)))
        return self._made("operations", self._operation(trials[0]))

    def _made(self, kind: str, event: dict[str, Any]) -> Record:
        self.counts[kind] += 1
        self.sent.append((kind, event))
        key = event["event_id" if kind == "exposures" else "operation_id"]
        record = (f"{self._prefix}{kind}.v1", key.encode(), encoded(event), ())
        self._records.append(record)
        return record

    def _operation(self, first: Trial) -> dict[str, Any]:
        number, chance = self._number, self._chance
        user = f"user-{chance.randrange(USERS)}"
        arm = place(first, user, len(first.epochs))
        is_good = chance.random() < (0.7 if arm is not None and arm[1] == "b" else 0.9)
        changes: dict[str, Any] = {
            "tenant_id": "globex" if chance.random() < OTHERS else "acme",
            "occurred_at": now_text(ago_s=self._ago_s()),
            "user_id": user,
            "session_id": f"session-{chance.randrange(USERS)}",
            "operation_type": "chat" if number % 9 else "rewrite",
            "success": is_good,
            "error_type": None if is_good else "timeout",
        }
        if number % 7 == 0:
            changes |= dict.fromkeys(("input_tokens", "output_tokens", "cost_usd", "confidence"))
        if number % 13 == 0:
            changes["response_time_ms"] = 12_000.0 + number
        return operation(number, **changes)

    def _feedback(self) -> dict[str, Any]:
        """On an operation of before or, for a few, of soon."""
        about = max(1, self._number + self._chance.randint(-300, 40))
        answers = (True, False, None)
        return feedback(
            self._number,
            occurred_at=now_text(),
            operation_id=f"op-{about}",
            rating=self._chance.choice((1, 2, 3, 4, 5, None)),
            comment="well",
            **{name: self._chance.choice(answers) for name in ("accurate", "relevant", "fast")},
        )

    def _exposure(self, trial: Trial) -> dict[str, Any]:
        """Most are of the right variant; a few are wrong in each way that there is."""
        chance = self._chance
        number = chance.randrange(USERS)
        unit = f"{trial.unit.removesuffix('_id')}-{number}"
        at = now_text(ago_s=self._ago_s())
        begun = max(1, trial.begun_by(datetime.fromisoformat(at)))
        arm = place(trial, unit, begun)
        if arm is None:  # a few who are outside the test are shown something all the same
            number %= STRANGE
            unit = f"{trial.unit.removesuffix('_id')}-{number}"
            arm = begun, "ab"[number % 2]
        event: dict[str, Any] = {
            "event_id": operation(90_000_000 + self._number)["event_id"],
            "tenant_id": "acme",
            "occurred_at": at,
            "test_id": trial.test_id,
            "unit_id": unit,
            "variant": arm[1],
        }
        if chance.random() < 0.5:
            event["epoch"] = arm[0]
        wrong: dict[str, Any] = {
            "test_id": "nobody knows it",
            "unit_id": unit + SEPARATOR,
            "epoch": 99,
            "variant": chance.choice(("a", "b") if number < STRANGE else ("nothing like it",)),
        }
        if chance.random() < 0.08:
            name = chance.choice(sorted(wrong))
            event[name] = wrong[name]
        return event

    def _ago_s(self) -> float:
        """Of most, now: tests that were begun a moment ago need events as well."""
        return self._chance.uniform(0, BACK_S) if self._chance.random() < 0.3 else 0.0
