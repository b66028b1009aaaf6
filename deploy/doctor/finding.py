"""What a check says: how bad it is, what was seen, and what to do."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    UNSEEN = "unseen"
    """It could not be looked at, for a reason that another check says."""
    WARN = "warn"
    FAIL = "fail"


SEE = "see "
"""Begins what an unseen check says that another one explains."""
SEVERITY = (Level.OK, Level.UNSEEN, Level.WARN, Level.FAIL)


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's table."""

    name: str
    level: Level
    seen: str
    then: str | None = None
    """What to do; of everything that is not well."""


def ok(name: str, seen: str) -> Finding:
    """It is well."""
    return Finding(name, Level.OK, seen)


def warn(name: str, seen: str, then: str) -> Finding:
    """It works, and will not always."""
    return Finding(name, Level.WARN, seen, then)


def fail(name: str, seen: str, then: str) -> Finding:
    """It does not work."""
    return Finding(name, Level.FAIL, seen, then)


def unseen(names: Iterable[str], why: str) -> list[Finding]:
    """Checks that nobody could make."""
    return [Finding(name, Level.UNSEEN, why) for name in names]


def worst(findings: Iterable[Finding]) -> Level:
    """The worst of them."""
    return max((one.level for one in findings), key=SEVERITY.index, default=Level.OK)


def listed(names: Sequence[str], most: int = 3) -> str:
    """Some names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
