"""A body that is not as it should be: each wrong field is named, and what may stand there."""

import json
from typing import Any

import pytest
from pydantic import BaseModel

from services.gateway.domain.alerts import Acknowledgement
from services.gateway.domain.datasets import DatasetRequest
from services.gateway.domain.experiments import Changes, changed_config
from services.gateway.domain.keys import KeyWanted
from services.gateway.domain.problems import Problem
from services.gateway.domain.refusals import MOST_ERRORS
from services.gateway.domain.reviews import QueueRequest, SampleRequest
from services.gateway.routes.bodies import parsed
from shared.alerts.rule import AlertRule
from shared.experiments.config import ExperimentConfig
from shared.health.limits import HealthLimits
from shared.notifications.channel import Channel
from shared.notifications.silence import Silence

RULE = {"name": "errors", "metric": "error_rate", "operator": ">", "warning": 0.2}
FAILURES = {"warning": 0.1, "critical": 0.2}


@pytest.mark.parametrize(
    ("model", "body", "pointer"),
    [
        (QueueRequest, {"name": "q", "reviewers": True}, "/reviewers"),
        (QueueRequest, {"name": "q", "sample": "5"}, "/sample"),
        (QueueRequest, {"name": "q", "filters": {"min_quality": True}}, "/filters/min_quality"),
        (SampleRequest, {"sample": True}, "/sample"),
        (DatasetRequest, {"name": "d", "splits": {"train": True}}, "/splits/train"),
        (DatasetRequest, {"name": "d", "filters": {"min_weight": "0.5"}}, "/filters/min_weight"),
        (KeyWanted, {"name": "k", "role": "viewer", "expires_at": 2e9}, "/expires_at"),
    ],
)
def test_a_value_of_another_kind_is_not_taken_for_what_it_could_mean(
    model: type[BaseModel], body: Any, pointer: str
) -> None:
    assert [one["pointer"] for one in refused(model, body)] == [pointer]


def test_times_and_ids_are_texts_in_json_and_are_read() -> None:
    body = {"name": "k", "role": "viewer", "expires_at": "2030-01-01T00:00:00Z"}
    assert parsed(json.dumps(body).encode(), KeyWanted).expires_at is not None
    splits = {"train": 1, "test": 0}
    assert parsed(json.dumps({"name": "d", "splits": splits}).encode(), DatasetRequest)


def refused(model: type[BaseModel], body: Any) -> list[dict[str, Any]]:
    with pytest.raises(Problem) as caught:
        parsed(json.dumps(body).encode(), model)
    assert caught.value.status == 422
    return [dict(one) for one in caught.value.errors]


@pytest.mark.parametrize(
    ("model", "body", "pointer", "said"),
    [
        (AlertRule, {**RULE, "treshold": 1}, "/treshold", "is not known. Known are baseline, "),
        (AlertRule, {**RULE, "critcal": 1}, "/critcal", "did you mean critical? Known are "),
        (
            AlertRule,
            {**RULE, "filter": {"model": "m"}},
            "/filter/model",
            "did you mean model_id? Known are agent_id, environment, model_id, operation_type, var",
        ),
        (
            HealthLimits,
            {"failures": {**FAILURES, "warn": 0.1}},
            "/failures/warn",
            "did you mean warning? Known are critical, warning",
        ),
        (HealthLimits, {"failure": FAILURES}, "/failure", "did you mean failures?"),
        (
            Channel,
            {"name": "c", "type": "webhook", "url": "https://example.com", "sekret": "s"},
            "/sekret",
            "did you mean secret?",
        ),
        (
            Silence,
            {"matchers": {"a": "b"}, "ends_at": "2030-01-01T00:00:00Z", "start_at": None},
            "/start_at",
            "did you mean starts_at?",
        ),
        (Acknowledgement, {"notes": "mine"}, "/notes", "did you mean note? Known are note, until"),
    ],
)
def test_a_field_that_is_not_known_is_told_which_are(
    model: type[BaseModel], body: Any, pointer: str, said: str
) -> None:
    (error,) = refused(model, body)
    assert (error["pointer"], error["code"]) == (pointer, "extra_forbidden")
    assert said in error["message"]


VARIANTS = [{"key": key, "model_id": key, "weight": 0.5, "is_control": key == "a"} for key in "ab"]
METRICS = [{"name": "success_rate", "role": "primary"}]
TEST = {"key": "t", "variants": VARIANTS, "metrics": METRICS}


def test_what_is_wrong_within_a_list_is_told_as_elsewhere() -> None:
    variants = [VARIANTS[0], {**VARIANTS[1], "wieght": 0.5}]
    (error,) = refused(ExperimentConfig, TEST | {"variants": variants})
    assert error["pointer"] == "/variants/1/wieght"
    assert "did you mean weight?" in error["message"]
    (error,) = refused(ExperimentConfig, TEST | {"variants": VARIANTS[:1]})
    assert error["message"].startswith("List should have at least 2 items")


def test_null_within_a_list_is_the_same_as_absent() -> None:
    nulls = [{**VARIANTS[0]}, {**VARIANTS[1], "is_control": None}]
    read = parsed(json.dumps(TEST | {"variants": nulls}).encode(), ExperimentConfig)
    assert [one.is_control for one in read.variants] == [True, False]


def test_an_unknown_member_of_a_change_is_refused_also_when_null() -> None:
    before = ExperimentConfig.model_validate(TEST)
    for value in (1, None):
        with pytest.raises(Problem) as caught:
            changed_config(before, Changes({"trafic": value}))
        assert "did you mean traffic?" in caught.value.errors[0]["message"]


def test_every_wrong_field_is_named_but_not_thousands() -> None:
    wrong = refused(AlertRule, {**RULE, "warning": "high", "nonsense": 1})
    assert [one["pointer"] for one in wrong] == ["/warning", "/nonsense"]
    assert len(refused(AlertRule, RULE | {f"n{place}": 1 for place in range(1_000)})) == MOST_ERRORS
