"""What people do on the pages, by clicks; no page is reloaded by us."""

import json
import re
from pathlib import Path
from typing import Any

from tests.browser.conftest import Watched
from tests.system.running import Up, until

FAILING, COMING = "browser-failing", "browser-coming"
PATIENCE_MS = 60_000


def send(demo: Up, model_id: str, *, success: bool, many: int = 60) -> None:
    """Operations of a model that the demo does not have."""
    one = {"model_id": model_id, "success": success, "response_time_ms": 120, "error_type": "made"}
    events = [one | {"operation_id": f"{model_id}-{n}"} for n in range(many)]
    assert demo.request("/ai/operations/log", events)[0] == 202
    until(lambda: demo.request(f"/ai/metrics/{model_id}")[0] == 200, "its model is known")


def wait_for(page: Any, selector: str, text: str) -> None:
    """Until something says this, by whatever changes the page."""
    page.locator(selector, has_text=text).first.wait_for(timeout=PATIENCE_MS)


def test_an_alert_begins_with_a_rule_and_ends_by_clicks(watched: Watched, demo: Up) -> None:
    page = watched.page
    send(demo, FAILING, success=False)
    page.goto("/rules/new")
    page.get_by_label("Name", exact=True).fill("Made by clicks")
    page.get_by_label("Metric").select_option("error_rate")
    page.get_by_label("Critical at").fill("0.5")
    page.get_by_label("Model", exact=True).fill(FAILING)
    page.get_by_role("button", name="What would it do now?").click()
    wait_for(page, "#trial td", "fire")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(re.compile(r"/rules/[0-9a-f-]{36}$"))
    wait_for(page, "td", "fire")
    page.goto("/alerts")
    page.locator("tr", has_text="Made by clicks").locator(".status.firing").wait_for(
        timeout=PATIENCE_MS
    )
    page.get_by_role("link", name="Made by clicks").first.click()
    page.get_by_role("form", name="Acknowledge").get_by_label("Note").fill("I look at it")
    page.get_by_role("button", name="Acknowledge").click()
    wait_for(page, "#alert td.text", "I look at it")
    wait_for(page, "#alert .status", "acknowledged")
    wait_for(page, "#alert dd .value", "100.0 %")
    page.get_by_role("button", name="Resolve").click()
    wait_for(page, "#alert .status", "resolved")


def test_a_model_appears_without_a_reload(watched: Watched, demo: Up) -> None:
    page = watched.page
    page.goto("/fleet")
    wait_for(page, "#live-state", "Live")
    page.evaluate("window.neverReloaded = true")
    assert page.get_by_role("link", name=COMING).count() == 0
    send(demo, COMING, success=True)
    page.get_by_role("link", name=COMING).wait_for(timeout=PATIENCE_MS)
    assert page.evaluate("window.neverReloaded") is True


def test_an_experiment_is_read(watched: Watched) -> None:
    page = watched.page
    page.goto("/experiments")
    page.locator("#tests tbody a").first.click()
    wait_for(page, "h2", "Differences from the control")
    drawn = page.locator("svg.interval").first.get_attribute("aria-label")
    assert "95 % interval" in drawn


def test_a_file_is_downloaded(watched: Watched, tmp_path: Path) -> None:
    page = watched.page
    page.goto("/training")
    with page.expect_download() as download:
        page.get_by_role("link", name="Rows as JSONL").click()
    path = tmp_path / "rows.jsonl"
    download.value.save_as(path)
    rows = [json.loads(one) for one in path.read_text().splitlines()]
    assert rows
    assert {"operation_id", "quality", "reasons"} <= rows[0].keys()


def test_operations_are_reviewed_one_after_another(watched: Watched) -> None:
    page = watched.page
    page.goto("/reviews")
    page.get_by_label("Name").fill("By clicks")
    page.get_by_label("What comes first").select_option("random")
    page.get_by_label("Operations").fill("2")
    page.get_by_role("button", name="Make it").click()
    page.wait_for_url(re.compile(r"/reviews/[0-9a-f-]{36}$"))
    page.get_by_role("button", name="Take the next operation").click()
    taken = page.locator('[data-of="operation_id"]')
    taken.wait_for(timeout=PATIENCE_MS)
    first = taken.text_content()
    page.get_by_label("Rating").select_option("4")
    page.get_by_label("Accurate").select_option("true")
    page.get_by_role("button", name="Send, and take the next").click()
    until(lambda: taken.text_content() not in {first, ""}, "the next one is there")
    page.get_by_label("Rating").select_option("2")
    page.get_by_role("button", name="Send, and take the next").click()
    wait_for(page, "[data-said]", "Nothing is left for you")


def test_the_chain_of_the_audit_log_is_checked(watched: Watched) -> None:
    page = watched.page
    page.goto("/audit")
    page.get_by_role("button", name="Check the chain").click()
    wait_for(page, "#check", "Whole")


def test_colours_are_chosen_and_remembered(watched: Watched) -> None:
    page = watched.page
    page.emulate_media(color_scheme="light")
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Switch between light and dark").click()
    after = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert before != after
    page.reload()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == after


def test_a_table_that_was_moved_sideways_stays_there(watched: Watched, demo: Up) -> None:
    page = watched.page
    page.set_viewport_size({"width": 400, "height": 900})
    page.goto("/fleet")
    wait_for(page, "#live-state", "Live")
    page.evaluate("document.querySelector('#fleet .scroll').scrollLeft = 80")
    page.evaluate("document.querySelector('#fleet').dataset.old = 'yes'")
    send(demo, "browser-another", success=True)
    page.get_by_role("link", name="browser-another").wait_for(timeout=PATIENCE_MS)
    assert page.locator("#fleet[data-old]").count() == 0
    until(
        lambda: page.evaluate("document.querySelector('#fleet .scroll').scrollLeft") == 80,
        "it is where it was",
    )


def test_the_keyboard_comes_to_the_content_first(watched: Watched) -> None:
    page = watched.page
    page.goto("/fleet")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_who_logs_out_is_out_and_a_wrong_key_is_refused(watched: Watched) -> None:
    page = watched.page
    page.get_by_role("button", name="Log out").click()
    page.get_by_label("API key").fill("assay_wrong")
    page.get_by_role("button", name="Log in").click()
    wait_for(page, "[role=alert]", "Send an API key")
    page.goto("/fleet")
    assert page.get_by_label("API key").is_visible()
    watched.complaints[:] = [one for one in watched.complaints if "401" not in one]
