"""The fault list: what is done, how often, and how soon all must be well again."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from tests.faults.books import Finding
from tests.faults.stage import Stage

Strike = Callable[[Stage, int], Awaitable[None]]
Check = Callable[[Stage], Awaitable[list[str]]]


async def nothing_more(_: Stage) -> list[str]:
    """No check beyond the auditor's."""
    return []


@dataclass(frozen=True, slots=True)
class Fault:
    """One line of the matrix."""

    name: str
    what: str
    strike: Strike
    """Returns at the moment from which recovery counts."""
    times: tuple[int, int, int]
    """In `make test`, in `make faults`, and with NIGHTLY=1."""
    within_s: float
    check: Check = nothing_more
    rate: int = 400
    needs: str = ""
    ends: tuple[int, ...] = ()
    """How services may end by themselves: their exit codes."""


@dataclass(slots=True)
class Line:
    """What came of it."""

    fault: str
    what: str
    times: int
    within_s: float
    recoveries_s: list[float] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    leaks: int = 0
    reads: int = 0
    problems: list[str] = field(default_factory=list)

    def count(self, *kinds: str) -> int:
        """How much the auditor found of these kinds."""
        return sum(one.count for one in self.findings if one.kind in kinds)

    def cells(self) -> list[str]:
        """As texts of the table."""
        middle, most = median(self.recoveries_s or [0]), max(self.recoveries_s or [0])
        return [
            self.fault,
            self.what,
            str(self.times),
            str(self.count("lost", "behind")),
            str(self.count("double")),
            str(self.count("different")),
            f"{self.leaks} of {self.reads:,}",
            f"{middle:.1f} s",
            f"{most:.1f} s",
            f"{self.within_s:.0f} s",
        ]


HEADER = [
    *("fault", "what", "times", "lost", "double", "cell differences", "cross-tenant reads"),
    *("recovery, median", "max", "target"),
]
FAULTS: dict[str, Fault] = {}


def fault(
    name: str, what: str, times: tuple[int, int, int], within_s: float, **more: Any
) -> Callable[[Strike], Strike]:
    """Put a strike into the matrix; `more` are further fields of its `Fault`."""

    def register(strike: Strike) -> Strike:
        assert name not in FAULTS
        FAULTS[name] = Fault(name, what, strike, times, within_s, **more)
        return strike

    return register


async def play(stage: Stage, one: Fault, times: int) -> Line:
    """Strike that often under traffic, wait for recovery each time, then audit everything."""
    line = Line(one.name, one.what, times, one.within_s)
    await stage.open()
    async with stage.flowing():
        for turn in range(times):
            await stage.caught_up()
            await one.strike(stage, turn)
            struck = time.monotonic()
            await stage.caught_up()
            line.recoveries_s.append(time.monotonic() - struck)
    line.problems += await one.check(stage)
    line.findings = await stage.auditor.verdict()
    if mended := stage.mended():
        text = "live numbers were wrong, and mended before the audit"
        line.findings.append(Finding("different", mended, text))
    for (name, code), count in stage.ends.items():
        if code not in one.ends:
            line.problems.append(f"{name} ended {count} times with {code}")
    line.leaks, line.reads = len(stage.reader.leaks), stage.reader.reads
    line.problems += stage.reader.leaks[:5] + stage.reader.wrong()
    return line


def markdown(lines: list[Line]) -> str:
    """The table for people."""
    rows = [HEADER, ["---"] * len(HEADER), *(line.cells() for line in lines)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)
