"""An A/B test is made by its form, row by row."""

import re

from tests.browser.conftest import Watched
from tests.browser.test_doing import wait_for
from tests.browser.test_rules import forgive
from tests.system.running import Up


def test_an_experiment_is_made_by_clicks_and_opens(watched: Watched, demo: Up) -> None:
    page = watched.page
    page.goto("/experiments/new")
    page.get_by_label("Name", exact=True).fill("By clicks")
    page.get_by_label("Key", exact=True).fill("by-clicks")
    page.get_by_role("button", name="Another variant").click()
    variants = page.get_by_role("group", name="Variant", exact=True)
    for at, (key, model, weight) in enumerate((("a", "m-1", "0.5"), ("b", "m-2", "0.25"))):
        variants.nth(at).get_by_label("Variant", exact=True).fill(key)
        variants.nth(at).get_by_label("Model").fill(model)
        variants.nth(at).get_by_label("Weight").fill(weight)
    third = variants.nth(2)
    third.get_by_label("Variant", exact=True).fill("no key")
    third.get_by_label("Model").fill("m-3")
    third.get_by_label("Weight").fill("0.5")
    page.get_by_role("button", name="Make it").click()
    third.locator('[data-said="key"]:not([hidden])').wait_for()
    third.get_by_label("Variant", exact=True).fill("c")
    page.get_by_role("button", name="Make it").click()
    wait_for(page, '[data-said="variants"]', "the weights sum to 1.25")
    third.get_by_label("Weight").fill("0.25")
    page.get_by_role("group", name="Metric", exact=True).nth(1).get_by_label(
        "May get worse by"
    ).fill("0.1")
    page.get_by_role("group", name="Metric", exact=True).nth(1).get_by_label("Shares of").check()
    page.get_by_role("button", name="Make it").click()
    page.wait_for_url(re.compile(r"/experiments/[0-9a-f-]{36}$"))
    test = demo.request(f"/ai/ab-tests/{page.url.rpartition('/')[2]}")[1]
    made = [(one["key"], one["weight"], one["is_control"]) for one in test["variants"]]
    assert made == [("a", 0.5, True), ("b", 0.25, False), ("c", 0.25, False)]
    assert [(one["role"], one["margin"], one["relative"]) for one in test["metrics"]] == [
        ("primary", None, False),
        ("guardrail", 0.1, True),
    ]
    assert (test["state"], test["unit"], test["traffic"]) == ("draft", "user_id", 1)
    forgive(watched, "422")


def test_how_long_a_test_takes_is_asked_on_its_page(watched: Watched) -> None:
    page = watched.page
    page.goto("/experiments/new")
    form = page.get_by_role("form", name="How long it takes")
    form.get_by_label("The control's value today").fill("2")
    form.get_by_label("Least difference to find").fill("0.02")
    form.get_by_role("button").click()
    wait_for(page, '[data-said="baseline"]', "lies between 0 and 1")
    form.get_by_label("The control's value today").fill("0.9")
    form.get_by_label("New units a day").fill("1000")
    form.get_by_role("button").click()
    wait_for(page, "#trial dd", "units together")
    forgive(watched, "422")
