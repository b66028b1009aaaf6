"""Each metric of each treatment beside the control: the interval that decides, and the rest."""

from dataclasses import replace

from services.abtest.domain import adjusting, gates, phases
from services.abtest.domain.adjusting import Adjustment
from services.abtest.domain.compared import NO_SMALLEST, Compared
from services.abtest.domain.guarding import guard
from services.abtest.domain.levels import Plan, is_planned_end, live, plan
from services.abtest.domain.lifting import lift
from services.abtest.domain.memory import Memory, place
from services.abtest.domain.percentiles import with_percentile
from services.abtest.domain.state import TestState
from shared.experiments import fixed, sequential
from shared.experiments.answers import Comparison, Undefined
from shared.experiments.estimators import Difference
from shared.experiments.fixed import Counts
from shared.experiments.margins import Measured
from shared.experiments.metrics import MetricConfig
from shared.experiments.multiplicity import benjamini_hochberg, holm
from shared.experiments.results import Method


def compare(state: TestState, memory: Memory, *, keep: bool) -> tuple[list[Compared], Memory]:
    """All rows, by metric and variant; what to remember only if the data are to be believed."""
    ended = memory.ended or (keep and is_planned_end(state))
    rows = [
        _row(state, memory, metric, variant, ended=ended)
        for metric in state.config.metrics
        for variant in treatments(state)
    ]
    if keep:
        memory = _remembered(memory, rows, ended=ended)
    rows = _adjusted(rows)
    return [shown for row in rows for shown in with_percentile(state, row)], memory


def treatments(state: TestState) -> list[str]:
    """All variants but the control."""
    return [one.key for one in state.config.variants if not one.is_control]


def between(state: TestState, row: Compared, other: Compared) -> Comparison | None:
    """A treatment beside another in the primary metric, at the level of the primary."""
    diff, _ = adjusting.difference(state, row.metric.name, row.variant, other.variant)
    if isinstance(diff, Undefined):
        return None
    return sequential.compare(diff, row.plan.n_star, row.plan.level)


def _row(
    state: TestState, memory: Memory, metric: MetricConfig, variant: str, *, ended: bool
) -> Compared:
    control = state.config.control.key
    too_early = gates.collecting(state, metric, variant)
    dominated = gates.dominated(state, metric, variant)
    later = gates.runtime(state) or gates.each_kind(state, metric, variant)
    frozen = memory.frozen.get(place(metric.name, variant))
    held = plan(state, variant, ended=ended and (frozen is not None or too_early is None))
    diff, adjustment = adjusting.difference(state, metric.name, control, variant)
    fell = frozen is not None and _fell(metric, diff, held, adjustment)
    if frozen is not None and not fell:
        diff, adjustment = frozen, memory.adjusted.get(place(metric.name, variant))
    row = Compared(
        name=metric.name,
        metric=metric,
        variant=variant,
        control=control,
        plan=held,
        diff=diff,
        is_frozen=frozen is not None and not fell,
        fell=fell,
        adjustment=adjustment,
        too_early=too_early,
        unmet=too_early or dominated or later,
        is_live=variant in live(state),
        smallest=memory.smallest.get(place(metric.name, variant), NO_SMALLEST),
    )
    return _tested(state, row)


def _fell(
    metric: MetricConfig, diff: Difference | Undefined, held: Plan, adjustment: Adjustment | None
) -> bool:
    """Whether all units together show harm in the primary, whatever was seen at the planned end."""
    if metric.role != "primary" or isinstance(diff, Undefined):
        return False
    return guard(diff, metric, held, _measured(adjustment)).harm.harmed


def _measured(adjustment: Adjustment | None) -> Measured | None:
    return None if adjustment is None else adjustment.measured


def _tested(state: TestState, row: Compared) -> Compared:
    diff = row.diff
    if isinstance(diff, Undefined):
        return row
    is_guardrail = row.role == "guardrail"
    level = row.plan.level if row.role == "primary" else row.plan.alpha
    measured = _measured(row.adjustment)
    method, shown = _decided(state, row, diff, level)
    smallest = row.smallest
    if row.too_early is None and not row.is_dominated:
        smallest = smallest.seen(shown.effect, shown.p)
    return replace(
        row,
        shown=shown,
        method=method,
        smallest=smallest,
        p=min(smallest.p, shown.p),
        lift=lift(row.metric, diff, shown, level, measured),
        one_look=fixed.compare(diff, level),
        guard=guard(diff, row.metric, row.plan, measured) if is_guardrail or row.fell else None,
    )


def _decided(
    state: TestState, row: Compared, diff: Difference, level: float
) -> tuple[Method, Comparison]:
    edge, n_star = _at_an_edge(state, row, level), row.plan.n_star
    if edge is not None:
        return "newcombe", edge
    if row.plan.hybrid and row.role != "guardrail" and not row.fell:
        return "hybrid", sequential.hybrid(diff, n_star, level, ended=row.plan.ended).comparison
    return "always_valid", sequential.compare(diff, n_star, level)


def _at_an_edge(state: TestState, row: Compared, level: float) -> Comparison | None:
    """Both at 0 %, or both at 100 %: Newcombe's interval over units, and nothing claimed."""
    if row.metric.name not in phases.SHARES_OF_OPERATIONS:
        return None
    a, b = (gates.kinds(state, row.metric.name, key) for key in (row.control, row.variant))
    if min(a.yes + b.yes, a.no + b.no) > 0 or a.yes + a.no == 0 or b.yes + b.no == 0:
        return None
    na, nb = (phases.pooled(state, row.metric.name, key).n for key in (row.control, row.variant))
    found = fixed.newcombe(Counts(na if a.yes else 0, na), Counts(nb if b.yes else 0, nb), level)
    return None if isinstance(found, Undefined) else Comparison(0.0, *found, 1.0)


def _remembered(memory: Memory, rows: list[Compared], *, ended: bool) -> Memory:
    smallest = {place(row.name, row.variant): row.smallest for row in rows}
    frozen, adjusted = dict(memory.frozen), dict(memory.adjusted)
    for row in rows:
        is_due = row.plan.ended and row.role != "guardrail" and not row.is_dominated
        at = place(row.name, row.variant)
        if is_due and isinstance(row.diff, Difference) and at not in frozen:
            frozen[at] = row.diff
            if row.adjustment is not None:
                adjusted[at] = row.adjustment
    kept = {key: value for key, value in smallest.items() if value != NO_SMALLEST}
    return memory.model_copy(
        update={
            "smallest": memory.smallest | kept,
            "frozen": frozen,
            "adjusted": adjusted,
            "ended": ended,
        }
    )


def _adjusted(rows: list[Compared]) -> list[Compared]:
    """p-values of a family: primary by Holm, secondary by Benjamini-Hochberg, guardrails alone."""
    primary = [row for row in rows if row.role == "primary"]
    secondary = [row for row in rows if row.role == "secondary" and row.p is not None]
    by_holm = holm([1.0 if row.p is None or row.too_early else row.p for row in primary])
    better = holm([row.smallest.above if row.sign > 0 else row.smallest.below for row in primary])
    by_bh = benjamini_hochberg([row.p for row in secondary if row.p is not None])
    done = {
        **{
            place(row.name, row.variant): replace(
                row, p_adjusted=None if row.p is None else p, p_better=of_better
            )
            for row, p, of_better in zip(primary, by_holm, better, strict=True)
        },
        **{
            place(row.name, row.variant): replace(row, p_adjusted=p)
            for row, p in zip(secondary, by_bh, strict=True)
        },
    }
    return [done.get(place(row.name, row.variant), _alone(row)) for row in rows]


def _alone(row: Compared) -> Compared:
    return row if row.guard is None else replace(row, p_adjusted=row.guard.harm.p)
