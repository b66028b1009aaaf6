"""Parts of pages that are loaded or looked at by themselves."""

import re

import pytest

from services.gateway.routes.dashboard.showing import TEMPLATES

ELEMENT = re.compile(r"<(?!script|link)\w+ (?:[^<>{]|\{\{.*?\}\}|\{%.*?%\})*>")
ALL = [
    pytest.param(element, id=f"{file.name}-{at}")
    for file in sorted(TEMPLATES.iterdir())
    for at, element in enumerate(ELEMENT.findall(file.read_text()))
    if "hx-get" in element
]


@pytest.mark.parametrize("element", ALL)
def test_what_is_loaded_once_can_be_asked_for_again(element: str) -> None:
    [trigger] = re.findall(r'hx-trigger="([^"]*)"', element) or [""]
    if "load" in trigger.split(", "):
        assert "again" in trigger.split(", ")


@pytest.mark.parametrize("element", ALL)
def test_what_replaces_itself_is_found_again_and_says_how_it_does(element: str) -> None:
    [trigger] = re.findall(r'hx-trigger="([^"]*)"', element) or [""]
    if "hx-select" in element:
        assert re.search(r' id="[\w-]+"', element)
        assert trigger == "live" or trigger.startswith("every ")


@pytest.mark.parametrize("file", sorted(TEMPLATES.iterdir()), ids=lambda one: one.name)
def test_a_page_that_refreshes_itself_has_a_line_for_its_state(file: object) -> None:
    text = file.read_text()
    if "hx-select" in text:
        assert "part.live(" in text


def test_each_page_of_older_changes_brings_a_button_of_its_own() -> None:
    """A whole part that was replaced would take its first page away."""
    text = (TEMPLATES / "history.html").read_text()
    [button] = re.findall(r"<button[^>]*>", text)
    assert 'hx-target="this"' in button
    assert 'hx-swap="outerHTML"' in button


def test_a_test_is_not_stopped_by_one_click() -> None:
    [form] = re.findall(r"<form .*", (TEMPLATES / "experiment.html").read_text())
    assert 'if action.value == "stop" %} data-confirm="' in form


@pytest.mark.parametrize("name", ["alert.html", "experiment.html"])
def test_forms_follow_the_state_and_keep_what_is_being_written(name: str) -> None:
    text = (TEMPLATES / name).read_text()
    live = text[text.index("<section ") : text.rindex("</section>")]
    assert "<form" not in text.replace(live, "")
    assert re.search(r'<div class="grid" id="steps-\{\{ \w+\.state \}\}" hx-preserve>', live)


@pytest.mark.parametrize("file", sorted(TEMPLATES.iterdir()), ids=lambda one: one.name)
def test_what_has_the_focus_in_a_live_part_is_found_again_by_its_id(file: object) -> None:
    """htmx gives the focus back to what has the same id in the new copy."""
    for section in re.findall(
        r"<section [^>]*hx-select.*?\n</section>", file.read_text(), re.DOTALL
    ):
        elements = re.findall(r"<(?:a|button|input|select|textarea) .*?>", section)
        elements += re.findall(r'<\w+ [^<>]*tabindex="0"', section)
        for element in elements:
            assert " id=" in element, element
        assert not re.findall(r"part\.value\(\w+(?:\.\w+)?\)", section)
        assert 'loop.index }}" href' not in section


@pytest.mark.parametrize("file", sorted(TEMPLATES.iterdir()), ids=lambda one: one.name)
def test_a_part_within_a_live_part_outlives_it_and_takes_its_whole_answer(file: object) -> None:
    """htmx hands `hx-select` down: nothing of the part's own answer would fit it."""
    for section in re.findall(
        r"<section [^>]*hx-select.*?\n</section>", file.read_text(), re.DOTALL
    ):
        outer, *inner = [one for one in ELEMENT.findall(section) if "hx-get" in one]
        for element in inner:
            assert re.search(r' id="[\w-]+" hx-preserve ', element), element
            assert 'hx-disinherit="hx-select hx-swap"' in outer
