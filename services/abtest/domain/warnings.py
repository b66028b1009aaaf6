"""What to know before believing the numbers of a test."""

from services.abtest.domain import phases
from services.abtest.domain.gates import largest_share
from services.abtest.domain.missing import people
from services.abtest.domain.splitting import Split
from services.abtest.domain.state import TestState
from services.abtest.domain.wording import NAMES
from services.abtest.domain.wording import share as percent
from shared.experiments.values import is_dominated


def warnings(state: TestState, found: Split) -> list[str]:
    """Sentences, the most important first."""
    said = []
    if found.is_suspect:
        said.append("The split is unlikely, though not yet beyond doubt: watch srm.")
    for one in state.config.variants:
        largest, total = largest_share(state, one.key)
        units = sum(arm.units for key, arm in state.arms.items() if key.variant == one.key)
        if units >= state.config.min_units_per_variant and is_dominated(largest, total):
            share = percent(largest / total)
            said.append(f"{one.key} is dominated by one unit: {share} of its operations.")
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
    return said
