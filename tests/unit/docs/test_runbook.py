"""Whoever is woken by an alert finds its page."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[3]
RULES = [
    rule
    for group in yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
SECTION = re.compile(r"^## (Assay\w+)\n\n\*\*(\w+)\.\*\* ", re.MULTILINE)
NAMED = re.compile(r"\b(assay_[a-z_]+)\b")


def test_each_alert_has_an_entry_with_its_severity_and_no_entry_lacks_its_alert() -> None:
    entries = SECTION.findall((ROOT / "docs" / "runbook.md").read_text())
    assert entries == [(rule["alert"], rule["labels"]["severity"].capitalize()) for rule in RULES]


def test_each_alert_says_where_its_entry_is() -> None:
    for rule in RULES:
        assert rule["annotations"]["runbook"] == f"docs/runbook.md#{rule['alert'].lower()}"


def test_measures_that_the_runbook_names_are_published() -> None:
    named = set(NAMED.findall((ROOT / "docs" / "runbook.md").read_text()))
    assert named
    places = (ROOT / "services", ROOT / "shared")
    sources = "".join(path.read_text() for place in places for path in place.rglob("*.py"))
    assert [
        name for name in sorted(named) if f'"{name.removesuffix("_total")}' not in sources
    ] == []
