"""The rule editor: whatever a rule is, its form says it, and sent unchanged it is the same rule."""

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from pydantic import ValidationError

from services.gateway.domain.dashboard.rule_fields import (
    DEFAULTS,
    FIELDS,
    KINDS,
    kind_of,
    kinds_of_fields,
    place_of,
)
from services.gateway.domain.dashboard.rule_form import asked_in, form_of, rule_of
from services.gateway.domain.problems import Problem
from services.gateway.domain.refusals import refused
from services.gateway.routes.dashboard.editing import Editor
from shared.alerts.ready_made import READY_MADE
from shared.alerts.rule import AlertRule
from tests.support.forms import Sent
from tests.unit.gateway.dashboard.drawn import CHANNELS, rules
from tests.unit.gateway.dashboard.forms import shown

LISTED = [(str(one), "a channel") for one in CHANNELS]
LIMIT = {"name": "n", "operator": ">", "warning": 0.5}


def members(**given: Any) -> dict[str, Any]:
    return AlertRule.model_validate({"name": "n"} | given).model_dump(mode="json")


def sent(rule: dict[str, Any] | None, **changes: str) -> dict[str, Any]:
    """What the editor makes of its own fields, some of them changed."""
    fields = [
        (name, changes.get(name.replace(".", "_"), text))
        for name, text in Sent(shown(Editor(rule), LISTED)).fields
    ]
    return rule_of(asked_in(fields), kinds_of_fields(rule))


def wrong(body: dict[str, Any]) -> set[str | None]:
    """The fields at which the API's refusal stands."""
    with pytest.raises(ValidationError) as caught:
        AlertRule.model_validate_json(json.dumps(body))
    return {place_of(one) for one in refused(caught.value, AlertRule).errors}


@given(rules())
@settings(max_examples=150)
def test_an_unchanged_form_is_the_rule_that_it_was_made_of(rule: AlertRule) -> None:
    body = sent(rule.model_dump(mode="json"))
    assert AlertRule.model_validate_json(json.dumps(body)) == rule


@given(rules())
@settings(max_examples=150)
def test_what_a_form_says_is_what_the_form_of_its_rule_says(rule: AlertRule) -> None:
    kept = rule.model_dump(mode="json")
    form = form_of(kept)
    again = AlertRule.model_validate_json(json.dumps(rule_of(form, kinds_of_fields(kept))))
    assert form_of(again.model_dump(mode="json")) == form


@pytest.mark.parametrize("rule", READY_MADE, ids=lambda one: one.name)
def test_the_rules_of_a_new_tenant_are_edited_too(rule: AlertRule) -> None:
    body = sent(rule.model_dump(mode="json"))
    assert AlertRule.model_validate_json(json.dumps(body)) == rule


def test_every_member_of_a_rule_has_a_field_and_every_kind_is_known() -> None:
    whole = {"filter", "baseline", "burn_rate"}
    paths = set(FIELDS) | {name.partition(".")[0] for name in FIELDS}
    assert set(AlertRule.model_fields) <= paths
    for name in whole:
        model = AlertRule.model_fields[name].default
        if model is not None:
            assert {f"{name}.{one}" for one in type(model).model_fields} <= paths
    found = {kind_of(one.model_dump(mode="json")) for one in READY_MADE}
    assert found | {kind_of(members(baseline={"kind": "previous_version", "delta": 1e-3}))} == set(
        KINDS
    )


def test_a_kind_sends_nothing_of_another() -> None:
    slo, past = {"burn_rate_slo": "0.99"}, {"baseline_delta": "0.1"}
    typed = {"name": "n", "warning": "0.5", **slo, **past}
    assert {"burn_rate", "baseline"}.isdisjoint(sent(None, kind="limit", **typed))
    burns = sent(None, kind="burn_rate", **typed)
    assert burns["burn_rate"] == {"slo": 0.99}
    assert {"operator", "warning", "baseline", "metric"}.isdisjoint(burns)
    before = sent(None, kind="past", **typed)
    assert before["baseline"] == {"kind": "same_hour_last_week", "delta": 0.1}
    assert {"operator", "warning", "burn_rate", "window"}.isdisjoint(before)
    for body in (burns, before, sent(None, kind="silence", **typed)):
        AlertRule.model_validate_json(json.dumps(body))


@pytest.mark.parametrize("kind", KINDS)
def test_a_field_is_marked_with_the_kinds_that_it_is_of(kind: str) -> None:
    text = shown(Editor(None))
    for name, field in FIELDS.items():
        [marked] = re.findall(
            rf'<div class="field"([^>]*)><label>[^<]*<\w+ name="{name}"', text
        ) or [""]
        assert ("data-for" not in marked or f"kind-{kind}" in marked) == (kind in field.kinds)


def test_what_a_kind_does_not_look_at_is_shown_where_a_rule_says_it() -> None:
    rule = members(burn_rate={"slo": 0.99}, recovery=0.1, min_sample=7)
    assert sent(rule)["recovery"] == 0.1
    assert "burn_rate" in kinds_of_fields(rule)["min_sample"]
    assert "burn_rate" not in kinds_of_fields(members(burn_rate={"slo": 0.9}))["min_sample"]


@pytest.mark.parametrize(
    ("typed", "fields"),
    [
        ({}, {"warning"}),
        ({"warning": "much"}, {"warning"}),
        ({"warning": "1e999"}, {"warning"}),
        ({"warning": "0.5", "critical": "0.1"}, {"warning"}),
        ({"warning": "5"}, {"warning"}),
        ({"warning": "0.5", "name": ""}, {"name"}),
        ({"warning": "0.5", "min_sample": "0", "renotify_s": "1"}, {"min_sample", "renotify_s"}),
        ({"warning": "0.5", "metric": "eror_rate"}, {"metric"}),
        ({"warning": "0.5", "window": "7d", "no_data": "alert"}, {"no_data"}),
        ({"warning": "0.5", "window": "7d", "filter_agent_id": "a"}, {"filter.agent_id"}),
        ({"warning": "0.5", "group_by": "variant"}, {"group_by"}),
        ({"warning": "0.5", "labels": "team"}, {"labels"}),
        ({"kind": "past"}, {"baseline.delta"}),
        ({"kind": "past", "baseline_delta": "2"}, {"baseline.delta"}),
        ({"kind": "burn_rate"}, {"burn_rate.slo"}),
        ({"kind": "burn_rate", "burn_rate_slo": "1"}, {"burn_rate.slo"}),
    ],
)
def test_what_is_wrong_stands_at_its_field(typed: dict[str, str], fields: set[str]) -> None:
    assert wrong(sent(None, **{"name": "n"} | typed)) == fields


def test_a_refusal_of_the_service_stands_at_its_field_too() -> None:
    for pointer, field in (("/filter", "filter.model_id"), ("/channels", "channels"), ("", None)):
        assert place_of({"pointer": pointer, "code": "invalid_field"}) == field


def test_what_no_rule_can_say_is_refused_by_the_form() -> None:
    twice = [("kind", "limit"), *[("labels", "team"), ("labels.value", "a")] * 2]
    for given_, field in ((twice, "labels"), ([("kind", "guess")], "kind")):
        with pytest.raises(Problem) as caught:
            rule_of(asked_in(given_), kinds_of_fields(None))
        assert [one["pointer"] for one in caught.value.errors] == [f"/{field}"]


def test_channels_that_are_gone_stay_visible_and_none_is_not_all() -> None:
    rule = members(**LIMIT, channels=[])
    assert sent(rule)["channels"] == []
    assert "channels" not in sent(members(**LIMIT))
    gone = members(**LIMIT) | {"channels": ["0199f2c4-7b1e-7c3a-9a52-5a1c0c9b7e10"]}
    assert sent(gone)["channels"] == gone["channels"]
    assert "which is gone" in shown(Editor(gone))


def test_a_new_rule_begins_as_one_with_a_limit() -> None:
    assert kind_of(DEFAULTS) == "limit"
    assert AlertRule.model_validate_json(json.dumps(sent(None, name="n", warning="0.5")))
