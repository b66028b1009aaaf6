"""Rules of every kind, drawn at random."""

import json
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from shared.alerts.catalogue import METRICS
from shared.alerts.rule import AlertRule

CHANNELS = [UUID(int=n) for n in range(3)]
words = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1, max_size=128
)
maybe = st.none() | words
names = st.sampled_from(sorted(METRICS))
shares = st.floats(0, 1, exclude_min=True, exclude_max=True)
amounts = st.floats(allow_nan=False, allow_infinity=False)
seconds = st.integers(60, 30 * 86_400)
groups = st.permutations(["model_id", "environment", "operation_type", "variant"])
common = st.fixed_dictionaries(
    {"name": words},
    optional={
        "group_by": groups.flatmap(
            lambda all_: st.integers(all_.index("model_id") + 1, 4).map(lambda n: all_[:n])
        ),
        "min_sample": st.integers(1, 1_000_000),
        "hold_for_s": seconds,
        "gate": st.sampled_from(["interval", "point"]),
        "no_data": st.sampled_from(["keep", "resolve", "alert"]),
        "renotify_s": seconds,
        "channels": st.none() | st.lists(st.sampled_from(CHANNELS).map(str), unique=True),
        "labels": st.dictionaries(words, words, max_size=16),
        "enabled": st.booleans(),
        "filter": st.fixed_dictionaries(
            {},
            optional=dict.fromkeys(("model_id", "environment", "operation_type", "variant"), maybe),
        ),
    },
)
agents = st.fixed_dictionaries({}, optional={"agent_id": words})
windows = st.sampled_from(["5m", "15m", "1h", "24h"])


def limits(drawn: tuple[str, str, list[float], set[str]]) -> dict[str, Any]:
    metric, operator, values, wanted = drawn
    if METRICS[metric].is_share:
        values = [abs(one) % 1 for one in values]
    ordered = sorted(values, reverse=operator.startswith("<"))
    chain = zip(("recovery", "warning", "critical"), ordered, strict=True)
    limited = {name: value for name, value in chain if name in wanted | {"warning"}}
    return {"metric": metric, "operator": operator} | limited


limit = st.tuples(
    names.filter(lambda name: not name.startswith("feedback.")),
    st.sampled_from([">", ">=", "<", "<="]),
    st.lists(amounts, min_size=3, max_size=3),
    st.sets(st.sampled_from(["recovery", "critical"])),
).map(limits)
past = st.fixed_dictionaries({"metric": names}).flatmap(
    lambda of: st.fixed_dictionaries(
        {
            "metric": st.just(of["metric"]),
            "baseline": st.fixed_dictionaries(
                {"kind": st.sampled_from(["previous_version", "same_hour_last_week"])}
                | {"delta": shares}
            ),
        }
    )
)
burning = st.fixed_dictionaries(
    {"burn_rate": st.fixed_dictionaries({"slo": shares}), "window": windows},
    optional={"recovery": shares},
)
silent = st.fixed_dictionaries(
    {"window": windows, "no_data": st.just("alert")},
).map(lambda of: of | {"metric": "throughput_per_minute", "operator": "<", "warning": 0})


@st.composite
def rules(draw: st.DrawFn) -> AlertRule:
    """Any rule that the API would take."""
    members = draw(common)
    asked = draw(st.one_of(limit, past, burning, silent))
    if "operator" in asked:
        asked |= {"window": asked.get("window") or draw(windows)}
        members["filter"] = members.get("filter", {}) | draw(agents)
    metric = METRICS[asked.get("metric", "error_rate")]
    if asked.get("baseline") and (metric.exact or metric.name.startswith("feedback.")):
        asked["baseline"]["kind"] = "same_hour_last_week"
    return AlertRule.model_validate_json(json.dumps(members | asked))
