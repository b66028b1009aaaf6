"""The rule editor, by clicks and keys: every kind of rule, and what is wrong at its field."""

import re
from typing import Any

import pytest

from tests.browser.conftest import Watched
from tests.browser.test_doing import wait_for
from tests.system.running import Up, until

COMMON = {
    "labels": {"team": 'a "b" <c>', "__proto__": "x", "two": "li\r\nnes"},
    "group_by": ["environment", "model_id"],
    "hold_for_s": 60,
    "renotify_s": 900,
    "enabled": False,
    "channels": [],
}
KINDS: dict[str, dict[str, Any]] = {
    "A limit": {
        "operator": ">",
        "warning": 0.05,
        "critical": 0.3,
        "recovery": 1e-5,
        "gate": "point",
    },
    "Worse than before": {"baseline": {"kind": "previous_version", "delta": 0.05}},
    "An error budget": {"burn_rate": {"slo": 0.995}, "recovery": 0.1, "window": "5m"},
    "Silence": {
        "metric": "throughput_per_minute",
        "operator": "<",
        "warning": 0,
        "window": "15m",
        "no_data": "alert",
    },
}


def forgive(watched: Watched, status: str) -> None:
    """A refusal that was meant is no complaint."""
    watched.complaints[:] = [one for one in watched.complaints if status not in one]


@pytest.mark.parametrize("kind", KINDS)
def test_a_rule_that_is_saved_unchanged_stays_as_it_is(
    watched: Watched, demo: Up, kind: str
) -> None:
    page = watched.page
    status, rule = demo.request("/ai/alert-rules", {"name": f"Kept: {kind}"} | COMMON | KINDS[kind])
    assert status == 201, rule
    path = f"/ai/alert-rules/{rule['id']}"
    page.goto(f"/rules/{rule['id']}")
    assert page.get_by_label(kind, exact=True).is_checked()
    with page.expect_navigation():  # it opens what was saved
        page.get_by_role("button", name="Save").click()
    until(
        lambda: demo.request(path)[1]["updated_at"] != rule["updated_at"], f"{kind} has been saved"
    )
    assert demo.request(path)[1] | {"updated_at": ""} == rule | {"updated_at": ""}
    assert demo.request(path, method="DELETE")[0] == 204


def test_a_rule_becomes_one_of_another_kind_by_the_keyboard(watched: Watched, demo: Up) -> None:
    page = watched.page
    page.goto("/rules/new")
    page.get_by_label("Name", exact=True).fill("By keys")
    page.get_by_label("Recovers at").fill("0.2")
    page.get_by_label("A limit", exact=True).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.get_by_label("An error budget").is_checked()
    assert not page.get_by_label("Operator").is_visible()
    page.get_by_label("Share that must succeed").fill("0.99")
    page.get_by_label("Label", exact=True).fill("team")
    page.get_by_label("Value", exact=True).fill("search")
    page.get_by_role("button", name="What would it do now?").click()
    wait_for(page, "#trial", "nobody was told")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(re.compile(r"/rules/[0-9a-f-]{36}$"))
    rule = demo.request(f"/ai/alert-rules/{page.url.rpartition('/')[2]}")[1]
    assert rule["burn_rate"] == {"slo": 0.99}
    assert (rule["operator"], rule["recovery"], rule["labels"]) == (None, None, {"team": "search"})


def test_what_is_wrong_stands_at_its_field(watched: Watched) -> None:
    page = watched.page
    page.goto("/rules/new")
    page.get_by_label("Name", exact=True).fill("Wrong")
    page.get_by_role("button", name="Save").click()
    wait_for(page, '[data-said="warning"]', "an operator needs warning, critical or both")
    wait_for(page, "form [role=alert]", "operator")
    assert page.get_by_label("Warning at").get_attribute("aria-invalid") == "true"
    assert page.evaluate("document.activeElement.name") == "warning"
    page.get_by_label("Worse than before").check()
    page.get_by_label("Worse by more than").fill("2")
    page.get_by_role("button", name="What would it do now?").click()
    wait_for(page, '[data-said="baseline.delta"]', "delta lies below 1")
    assert not page.locator('[data-said="warning"]').is_visible()
    forgive(watched, "422")


def test_without_a_script_a_rule_is_tried_and_its_json_shown(
    watched: Watched, browser: Any
) -> None:
    state = watched.page.context.storage_state()
    origin = re.match(r"https?://[^/]+", watched.page.url)
    assert origin
    context = browser.new_context(
        base_url=origin[0], storage_state=state, java_script_enabled=False
    )
    page = context.new_page()
    page.goto("/rules/new")
    page.get_by_label("Name", exact=True).fill("Plain")
    page.get_by_label("An error budget").check()
    assert not page.get_by_label("Operator").is_visible()
    page.get_by_role("button", name="What would it do now?").click()
    wait_for(page, '[data-said="burn_rate.slo"]', "required")
    page.get_by_label("Share that must succeed").fill("0.99")
    page.get_by_role("button", name="What would it do now?").click()
    page.get_by_text("As the API takes it").click()
    wait_for(page, "#trial pre", '"slo": 0.99')
    context.close()
