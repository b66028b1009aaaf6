"""Pages that refresh themselves: what fails says so, what is being done is not lost."""

from typing import Any

from tests.browser.conftest import Watched
from tests.browser.test_doing import PATIENCE_MS, wait_for
from tests.system.running import until


def first_model(page: Any) -> None:
    """The page of the first model of the list."""
    page.goto("/fleet")
    page.locator("#fleet tbody a").first.click()
    page.wait_for_url("**/fleet/*")


def asked_for(page: Any, path: str) -> list[str]:
    """Requests for a path, as they are sent from now on."""
    found: list[str] = []
    page.on("request", lambda one: one.url.endswith(path) and found.append(one.url))
    return found


def test_a_part_that_could_not_be_loaded_is_tried_again_by_a_click(watched: Watched) -> None:
    page = watched.page
    page.route("**/charts?*", lambda route: route.abort())
    first_model(page)
    wait_for(page, "[aria-label=Charts] .problem", "There was no answer.")
    page.unroute("**/charts?*")
    page.get_by_role("region", name="Charts").get_by_role("button", name="Try again").click()
    page.locator("[aria-label=Charts] canvas").first.wait_for(timeout=PATIENCE_MS)
    watched.complaints.clear()  # the console's own words about what was aborted


def test_a_page_is_looked_at_anew_once_its_stream_has_begun(watched: Watched) -> None:
    page = watched.page
    page.goto("/experiments")
    page.evaluate("document.querySelector('#tests').dataset.old = 'yes'")
    until(lambda: page.locator("#tests[data-old]").count() == 0, "it was looked at anew")


def test_the_focus_stays_on_its_number_when_the_page_refreshes(watched: Watched) -> None:
    page = watched.page
    page.goto("/fleet")
    number = page.locator("#fleet .value").first
    number.focus()
    identity = number.get_attribute("id")
    assert "95 %" in page.evaluate("getComputedStyle(document.activeElement, '::after').content")
    page.evaluate("document.querySelector('#fleet').dataset.old = 'yes'")
    until(lambda: page.locator("#fleet[data-old]").count() == 0, "it has refreshed")
    until(lambda: page.evaluate("document.activeElement.id") == identity, "it has the focus")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id") != identity


def test_operations_stand_still_while_they_are_paused(watched: Watched) -> None:
    page = watched.page
    asked = asked_for(page, "/live")
    page.goto("/live")
    page.wait_for_event("request", lambda one: one.url.endswith("/live"), timeout=PATIENCE_MS)
    page.get_by_role("button", name="Pause").click()
    wait_for(page, "#live-state", "Paused")
    until(lambda: page.locator("#operations.htmx-request").count() == 0, "the last answer is there")
    page.evaluate("document.querySelector('#operations').dataset.old = 'yes'")
    polled = "htmx.ajax('GET', '/live', {source: '#operations'})"  # as its own clock does it
    page.evaluate(f"void {polled}")
    before = len(asked)
    assert page.locator("#operations[data-old]").count() == 1
    assert len(asked) == before
    with page.expect_request("**/live", timeout=PATIENCE_MS):
        page.get_by_role("button", name="Go on").click()
    wait_for(page, "#live-state", "Looked at every 3 s")


def test_what_fails_to_refresh_stays_and_is_called_old(watched: Watched) -> None:
    page = watched.page
    page.goto("/system")
    page.route("**/system", lambda route: route.abort())
    page.locator("#system.stale tbody tr").first.wait_for(timeout=PATIENCE_MS)
    wait_for(page, "#live-state", "No answer; trying again")
    page.unroute("**/system")
    wait_for(page, "#live-state", "Looked at every 5 s")
    assert page.locator("#system.stale").count() == 0
    watched.complaints.clear()  # the console's own words about what was aborted
