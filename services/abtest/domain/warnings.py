"""What to know before believing the numbers of a test."""

from collections.abc import Sequence

from services.abtest.domain import phases
from services.abtest.domain.compared import Compared
from services.abtest.domain.gates import concentrated
from services.abtest.domain.missing import only, people
from services.abtest.domain.splitting import Split
from services.abtest.domain.state import TestState, limit_of
from services.abtest.domain.wording import NAMES, amount
from services.abtest.domain.wording import share as percent
from shared.experiments.answers import Undefined
from shared.experiments.cuped import UNEQUAL
from shared.experiments.metrics import MetricName

MOSTLY_CUT = 0.5


def warnings(state: TestState, found: Split, rows: Sequence[Compared]) -> list[str]:
    """Sentences, the most important first."""
    said = []
    if found.is_suspect:
        said.append("The split is unlikely, though not yet beyond doubt: watch srm.")
    for one in state.config.variants:
        arms = [arm for key, arm in state.arms.items() if key.variant == one.key]
        total, is_enough = sum(arm.operations for arm in arms), state.config.min_units_per_variant
        equal = concentrated(state, "success_rate", one.key)
        if equal is not None and sum(arm.units for arm in arms) >= is_enough:
            said.append(
                f"{one.key} is dominated by a few {people(state)}: by operations they weigh as if "
                f"{only(equal)} took part."
            )
        crossed = sum(arm.crossovers for key, arm in state.arms.items() if key.variant == one.key)
        if crossed and total:
            said.append(
                f"{crossed:,} operations of {one.key} ({percent(crossed / total)}) were served by "
                f"another model than {one.model_id}; they count for {one.key}."
            )
    for metric in state.config.metrics:
        few = [k for k in state.config.weights if 0 < phases.pooled(state, metric.name, k).n < 30]
        if metric.name == "rating" and few:
            said.append(
                f"Fewer than 30 {people(state)} with a {NAMES['rating']} in {', '.join(few)}."
            )
        said += _cut(state, metric.name)
    if any(row.is_frozen for row in rows):
        said.append(
            "Differences are those of the planned end; what each variant was is told of all units."
        )
    return said + [_unequal(row) for row in rows if row.adjustment and row.adjustment.is_unequal]


def _cut(state: TestState, metric: MetricName) -> list[str]:
    """A variant whose usual operation is near the limit seems to be less than it is."""
    limit, said = limit_of(state, metric), []
    for key in state.config.weights if limit is not None else ():
        arm = phases.value(state, metric, key)
        if limit is not None and not isinstance(arm, Undefined) and arm.value > MOSTLY_CUT * limit:
            said.append(
                f"{NAMES[metric]} of {key} may be more than it seems: an operation counts as "
                f"{amount(metric, limit)} at most, by what was usual before the test."
            )
    return said


def _unequal(row: Compared) -> str:
    return f"{NAMES[row.metric.name]} of {row.variant} and {row.control}: {UNEQUAL}"
