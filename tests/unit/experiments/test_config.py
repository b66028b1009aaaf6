"""A configuration is refused with the field's name and the remedy."""

from typing import Any

import pytest
from pydantic import ValidationError

from tests.support.experiments import PRIMARY, body, config, weighted

HALVES = body()["variants"]
GUARDRAIL = {"name": "cost_usd", "role": "guardrail"}


def test_what_is_not_given_is_as_the_contract_says() -> None:
    found = config()
    assert (found.alpha, found.power, found.traffic, found.unit) == (0.05, 0.8, 1.0, "user_id")
    assert (found.min_units_per_variant, found.min_runtime_hours) == (100, 168)
    assert (found.planned_units, found.exclusion_group) == (None, None)
    assert (found.auto_pause, found.auto_conclude) == (True, False)
    assert (found.control.key, found.weights) == ("a", {"a": 0.5, "b": 0.5})


def test_ten_variants_and_weights_within_a_billionth_are_taken() -> None:
    assert len(config(variants=weighted(**{f"v{n}": 0.1 for n in range(10)})).variants) == 10
    assert config(variants=weighted(a=1 / 3, b=1 / 3, c=1 / 3 + 9e-10))


@pytest.mark.parametrize(
    ("name", "better"),
    [("success_rate", "increase"), ("response_time_ms", "decrease"), ("cost_usd", "decrease")],
)
def test_a_metric_knows_what_is_better_unless_it_is_said(name: str, better: str) -> None:
    assert config(metrics=[{"name": name, "role": "primary"}]).metrics[0].better == better
    said = {"name": name, "role": "primary", "direction": "increase"}
    assert config(metrics=[said]).metrics[0].better == "increase"


@pytest.mark.parametrize(
    ("changes", "where", "remedy"),
    [
        ({"variants": HALVES[:1]}, "variants", "at least 2"),
        ({"variants": weighted(**{f"v{n}": 1 / 11 for n in range(11)})}, "variants", "at most 10"),
        ({"variants": weighted(a=0.5, b=0.4)}, "variants", "sum to 0.9, not to 1; divide each"),
        ({"variants": weighted(a=0.5, b=0.5 + 2e-9)}, "variants", "not to 1"),
        ({"variants": weighted(a=1.5, b=-0.5)}, "variants.0.weight", "less than or equal to 1"),
        ({"variants": [HALVES[1], HALVES[1] | {"key": "c"}]}, "variants", "is_control: true; now"),
        ({"variants": [HALVES[0], HALVES[0] | {"key": "c"}]}, "variants", "now a, c"),
        ({"variants": [HALVES[0], HALVES[1] | {"key": "a"}]}, "variants", "repeat a; give each"),
        ({"variants": [HALVES[0], {"key": "b", "weight": 0.5}]}, "variants.1.model_id", "required"),
        ({"variants": [HALVES[0], HALVES[1] | {"key": "b\x1fc"}]}, "variants.1.key", "pattern"),
        ({"key": "a key/with"}, "key", "pattern"),
        ({"traffic": 1.01}, "traffic", "less than or equal to 1"),
        ({"traffic": "1"}, "traffic", "valid number"),
        ({"unit": "agent_id"}, "unit", "'user_id' or 'session_id'"),
        ({"alpha": 0}, "alpha", "greater than 0"),
        ({"alpha": 1}, "alpha", "less than 1"),
        ({"power": 1}, "power", "less than 1"),
        ({"planned_units": 1}, "planned_units", "greater than or equal to 2"),
        ({"exclusion_group": ""}, "exclusion_group", "pattern"),
        ({"metrics": []}, "metrics", "at least 1"),
        ({"metrics": [GUARDRAIL]}, "metrics", "exactly one metric must have the role primary"),
        ({"metrics": [PRIMARY, PRIMARY]}, "metrics", "repeat success_rate"),
        ({"metrics": [PRIMARY, GUARDRAIL | {"role": "primary"}]}, "metrics", "make others"),
        ({"metrics": [PRIMARY | {"name": "profit"}]}, "metrics.0.name", "'success_rate'"),
        ({"metrics": [PRIMARY | {"margin": 1}]}, "metrics.0", "a share, lies below 1"),
        ({"metrics": [PRIMARY | {"direction": "up"}]}, "metrics.0.direction", "'increase' or"),
        ({"metrics": [PRIMARY | {"min_effect": 2}]}, "metrics.0", "0.02 is two percentage points"),
        ({"metrics": [PRIMARY | {"slo_ms": 2}]}, "metrics.0", "share_slower_than_slo only"),
        ({"metrics": [PRIMARY | {"min_effect": 0}]}, "metrics.0.min_effect", "greater than 0"),
        ({"filter": {"model_id": "m"}}, "filter.model_id", "not permitted"),
        ({"wieght": 1}, "wieght", "not permitted"),
    ],
)
def test_what_makes_no_sense_is_named_with_its_remedy(
    changes: dict[str, Any], where: str, remedy: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        config(**changes)
    first = caught.value.errors()[0]
    assert ".".join(map(str, first["loc"])) == where
    assert remedy in first["msg"]


def test_other_shares_leave_the_rest_alone() -> None:
    changed = config(variants=weighted(a=0.5, b=0.5)).weighted({"a": 0.9, "b": 0.1}, 0.2)
    assert changed == config(variants=weighted(a=0.9, b=0.1), traffic=0.2)
