"""The demo's numbers, and every comparison that did not hold."""

from dataclasses import asdict, dataclass, field
from typing import Any

from deploy.demo.audit import MEASURES, Books, Sums


@dataclass(slots=True)
class Summary:
    """What was sent, what the stores hold, how long it took."""

    published: int = 0
    accepted: int = 0
    dead_lettered: int = 0
    duplicates: int = 0
    postgres_operations: int = 0
    redis_operations: int = 0
    feedback: int = 0
    alerts_fired: int = 0
    alerts_resolved: int = 0
    alerts: list[str] = field(default_factory=list)
    """What the demo's own alarm said."""
    experiments: dict[str, str] = field(default_factory=dict)
    """Verdicts by test."""
    experiments_said: list[str] = field(default_factory=list)
    training_examples: int = 0
    """Rows of answers, and of corrections beside them."""
    corrections: int = 0
    preference_pairs: int = 0
    seconds: float = 0.0
    events_per_second: float = 0.0
    freshness_p50_ms: float | None = None
    freshness_p99_ms: float | None = None
    accuracy: dict[str, dict[str, float]] = field(default_factory=dict)
    models: Sums = field(default_factory=dict)
    mismatches: int = 0
    problems: list[str] = field(default_factory=list)

    def expect(self, what: str, expected: object, found: object) -> None:
        """Compare; a difference is a mismatch, told in words."""
        if expected != found:
            self.mismatches += 1
            self.problems.append(f"{what}: {expected} expected, {found} found")

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def as_text(self) -> str:
        """For people."""
        lines = [
            f"{self.published:,} events published, {self.accepted:,} acknowledged, "
            f"{self.duplicates} duplicates, {self.dead_lettered} dead letters",
            f"Postgres holds {self.postgres_operations:,} operations, Redis counts "
            f"{self.redis_operations:,}; {self.feedback:,} feedbacks in both",
            f"{self.seconds:.1f} s, {self.events_per_second:,.0f} events/s; acknowledged to "
            f"visible: p50 {_ms(self.freshness_p50_ms)}, p99 {_ms(self.freshness_p99_ms)}",
        ]
        for model, phases in sorted(self.accuracy.items()):
            told = ", ".join(f"{share:.1%} {phase}" for phase, share in sorted(phases.items()))
            lines.append(f"{model}: accuracy {told}")
        lines += self.alerts + self.experiments_said
        lines.append(
            f"{self.training_examples:,} training rows, {self.corrections:,} of them corrections; "
            f"{self.preference_pairs:,} preference pairs"
        )
        lines += [f"MISMATCH {problem}" for problem in self.problems]
        verdict = "every number adds up" if not self.mismatches else "numbers do NOT add up"
        return "\n".join([*lines, f"mismatches: {self.mismatches} ({verdict})"])


def grown(before: Books, after: Books) -> Books:
    """What came in between."""
    sums = [
        {
            model: {
                name: count - old.get(model, {}).get(name, 0) for name, count in measures.items()
            }
            for model, measures in new.items()
        }
        for old, new in zip(before[:3], after[:3], strict=True)
    ]
    return Books(
        sums[0],
        sums[1],
        sums[2],
        after.dead_letters - before.dead_letters,
        after.duplicates - before.duplicates,
        after.alerts_fired - before.alerts_fired,
        after.alerts_resolved - before.alerts_resolved,
    )


def differences(expected: Sums, found: Books) -> list[tuple[str, int, int]]:
    """What, expected, found: every store against what was sent, wherever they differ."""
    return [
        (f"{name} of {model} in {store}", wanted, held)
        for model, measures in expected.items()
        for name in MEASURES
        for store in ("postgres", "rollups", "redis")
        if (wanted := measures.get(name, 0))
        != (held := getattr(found, store).get(model, {}).get(name, 0))
    ]


def _ms(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.0f} ms"
