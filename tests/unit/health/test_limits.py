"""Limits: a model's own go before its tenant's, and these before those of the house."""

import json

import pytest
from pydantic import ValidationError

from shared.health.limits import DEFAULT_LIMITS, OF_TENANT, HealthLimits, LimitsBook, changed

STRICT = {"failures": {"warning": 0.01, "critical": 0.02}}
PATIENT = {"slow": {"warning": 0.5, "critical": 0.9, "after_ms": 60_000}, "min_sample": 100}


def test_layers_are_inherited_measure_by_measure() -> None:
    rows = [
        ("acme", OF_TENANT, json.dumps(STRICT)),
        ("acme", "big", json.dumps(PATIENT | {"rating": None})),
    ]
    book = LimitsBook(rows)
    assert book.of("acme", "other") == HealthLimits.model_validate(STRICT)
    big = book.of("acme", "big")
    assert big.failures == HealthLimits.model_validate(STRICT).failures
    assert big.slow == HealthLimits.model_validate(PATIENT).slow
    assert (big.rating, big.min_sample) == (None, 100)
    assert big.unhelpful == DEFAULT_LIMITS.unhelpful
    assert book.of("globex", "big") == DEFAULT_LIMITS


def test_only_what_was_given_is_kept() -> None:
    given = HealthLimits.model_validate(STRICT | {"rating": None}).given()
    assert json.loads(given) == STRICT | {"rating": None}


def test_limits_of_another_version_are_passed_over() -> None:
    rows = [
        ("acme", OF_TENANT, json.dumps(STRICT)),
        ("acme", "m", '{"charm": {"warning": 1}}'),
    ]
    assert LimitsBook(rows).of("acme", "m") == HealthLimits.model_validate(STRICT)


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"failures": {"warning": 0.3, "critical": 0.2}}, ("failures",)),
        ({"rating": {"warning": 2, "critical": 3}}, ("rating",)),
        ({"failures": {"warning": 0.3}}, ("failures", "critical")),
        ({"failures": {"warning": -1, "critical": 0.2}}, ("failures", "warning")),
        ({"slow": {"warning": 0.1, "critical": 0.2, "after_ms": 0}}, ("slow", "after_ms")),
        ({"slow": {"warning": 0.1, "critical": 0.2}}, ("slow", "after_ms")),
        ({"rating": {"warning": 6, "critical": 1}}, ("rating", "warning")),
        ({"min_sample": 9}, ("min_sample",)),
        ({"charm": None}, ("charm",)),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(wrong: dict[str, object], where: object) -> None:
    with pytest.raises(ValidationError) as caught:
        HealthLimits.model_validate(wrong)
    assert [error["loc"] for error in caught.value.errors()] == [where]


def test_limits_that_changed_are_named_with_what_they_were() -> None:
    other = HealthLimits.model_validate(PATIENT | {"rating": None})
    assert changed(DEFAULT_LIMITS, other) == (
        "Limits were changed: min_sample from 25 to 100; "
        "slow from warning 0.05, critical 0.25, after_ms 10000 "
        "to warning 0.5, critical 0.9, after_ms 60000; "
        "rating from warning 3, critical 2 to not judged."
    )
    assert changed(other, DEFAULT_LIMITS).endswith("from not judged to warning 3, critical 2.")
