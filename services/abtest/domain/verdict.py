"""What a test says: the first verdict of the list that holds."""

from typing import Final, NamedTuple

from services.abtest.domain import gates, phases
from services.abtest.domain.compared import Compared
from services.abtest.domain.comparing import between
from services.abtest.domain.gates import Unmet
from services.abtest.domain.guarding import equivalent
from services.abtest.domain.levels import live
from services.abtest.domain.memory import Memory
from services.abtest.domain.splitting import Split
from services.abtest.domain.state import TestState
from shared.events.experiment import Verdict
from shared.experiments.answers import Undefined
from shared.experiments.lifecycle import ENDED

COST: Final = "cost_usd"


class Decision(NamedTuple):
    """A verdict, and what a sentence about it needs."""

    verdict: Verdict
    winner: str | None = None
    about: tuple[Compared, ...] = ()
    """Harm: the harmed rows. Otherwise primary rows; of a winner, its own."""
    unmet: Unmet | None = None
    """What is missing, where that is what holds the test up."""
    waiting: tuple[Compared, ...] = ()
    """Guardrails that are not known to hold (any more), of a variant that is better."""
    tied: tuple[str, ...] = ()
    """Variants that are as good as the winner; it is the cheaper, or the first by its interval."""
    costs: tuple[tuple[str, float], ...] = ()
    """USD per operation of those that cost decides between, cheapest first."""


def decide(state: TestState, rows: list[Compared], split: Split, memory: Memory) -> Decision:
    """First match wins; a test that shipped goes back only to harm or broken data.

    A small variant does not hide harm in one that has enough data, nor does a primary metric that
    few units have hide that of a guardrail.
    """
    live = [row for row in rows if row.is_live]
    primary = [row for row in live if row.role == "primary"]
    harmed = tuple(row for row in live if row.harmed)
    early = min((row for row in primary if row.too_early is not None), key=_progress, default=None)
    if split.is_broken:
        return Decision("BROKEN")
    if early is not None and not harmed and memory.shipped is None:
        return Decision("COLLECTING", about=(early,), unmet=early.too_early)
    if split.has_many_multiple or split.missing is not None:
        return Decision("BROKEN")
    if harmed:
        return Decision("STOP_HARM", about=harmed)
    return _by_effects(state, rows, primary, memory)


def standing(state: TestState, memory: Memory) -> Memory:
    """A winner that somebody took out of the test is none any more."""
    if memory.shipped is None or memory.shipped in live(state):
        return memory
    return memory.model_copy(update={"shipped": None})


def remembered(memory: Memory, decision: Decision) -> Memory:
    """A winner stays one until it does harm, or its data turn out to be broken."""
    if decision.verdict == "SHIP":
        return memory.model_copy(update={"shipped": decision.winner})
    if decision.verdict in ("BROKEN", "STOP_HARM"):
        return memory.model_copy(update={"shipped": None})
    return memory


def _progress(row: Compared) -> float:
    """How much there is of what is needed: whoever is furthest back is waited for."""
    return row.too_early.have / row.too_early.need if row.too_early else 1.0


def _by_effects(
    state: TestState, rows: list[Compared], primary: list[Compared], memory: Memory
) -> Decision:
    """The verdicts of a test that is sound and does no harm."""
    kept = [row for row in rows if row.role == "primary" and row.variant == memory.shipped]
    winners = [row for row in primary if _is_winner(row, rows)]
    if kept or winners:
        found = _shipped(state, kept or winners, is_kept=bool(kept))
        # It shipped with every guardrail inside its margin, which may have changed since.
        return found._replace(waiting=_not_within(found.about[0], rows))
    if primary and all(_is_same(row, rows) for row in primary):
        costs = _costs(state, [state.config.control.key, *(row.variant for row in primary)])
        return Decision("NO_DIFFERENCE", about=tuple(primary), costs=costs)
    # Of a test that has its planned units in less than a week, time is all that is missing.
    is_over = state.state in ENDED or (memory.ended and gates.runtime(state) is None)
    if not primary:
        return Decision("INCONCLUSIVE")
    found = _running(rows, primary)
    return found._replace(verdict="INCONCLUSIVE") if is_over else found


def _is_better(row: Compared) -> bool:
    """Surely so, after Holm, at a look with enough data; and not worse as it is seen now."""
    is_sure = row.p_better < row.plan.alpha and row.gain > 0
    return is_sure and row.too_early is None and not row.is_dominated


def _is_winner(row: Compared, rows: list[Compared]) -> bool:
    return _is_better(row) and row.unmet is None and not _not_within(row, rows)


def _is_same(row: Compared, rows: list[Compared]) -> bool:
    if row.too_early is not None or isinstance(row.diff, Undefined):
        return False
    if row.unmet is not None and row.unmet.gate is not gates.Gate.EACH_KIND:
        return False
    return equivalent(row.diff, row.metric, row.plan) and not _not_within(row, rows)


def _not_within(row: Compared, rows: list[Compared]) -> tuple[Compared, ...]:
    own = (one for one in rows if one.variant == row.variant and one.role == "guardrail")
    return tuple(one for one in own if not one.within_margin)


def _shipped(state: TestState, winners: list[Compared], *, is_kept: bool) -> Decision:
    """The highest lower end; among those that it is not surely better than, the cheapest."""
    ordered = sorted(winners, key=lambda row: (-row.least_gain, row.variant))
    leader = ordered[0]
    tied = [leader, *(row for row in ordered[1:] if _covers_zero(state, row, leader))]
    if is_kept or len(tied) == 1:
        return Decision("SHIP", leader.variant, (leader,))
    costs = _costs(state, [row.variant for row in tied])
    winner = next(row for row in tied if row.variant == (costs[0][0] if costs else leader.variant))
    others = tuple(row.variant for row in tied if row is not winner)
    return Decision("SHIP", winner.variant, (winner,), tied=others, costs=costs)


def _covers_zero(state: TestState, row: Compared, leader: Compared) -> bool:
    found = between(state, row, leader)
    return found is None or not found.excludes_zero


def _costs(state: TestState, variants: list[str]) -> tuple[tuple[str, float], ...]:
    """By what was measured, asked for or not; nothing where the cost of one is unknown."""
    found = []
    for variant in variants:
        cost = phases.value(state, COST, variant)
        if isinstance(cost, Undefined):
            return ()
        found.append((variant, cost.value))
    return tuple(sorted(found, key=lambda pair: (pair[1], pair[0])))


def _running(rows: list[Compared], primary: list[Compared]) -> Decision:
    """What is waited for: of a variant that is better, why it does not ship; else more units."""
    dominated = [row for row in primary if row.is_dominated]
    if dominated:
        return Decision("KEEP_RUNNING", about=tuple(dominated), unmet=dominated[0].unmet)
    better = [row for row in primary if _is_better(row)]
    if better:
        row = max(better, key=lambda one: one.least_gain)
        waiting = _not_within(row, rows)
        return Decision("KEEP_RUNNING", about=(row,), unmet=row.unmet, waiting=waiting)
    return Decision("KEEP_RUNNING", about=tuple(primary), unmet=primary[0].unmet)
