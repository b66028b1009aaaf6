"""Check that the docs are whole: links lead somewhere, settings and dependencies are described."""

import re
import sys
import tomllib
from collections import Counter
from pathlib import Path

from pydantic_settings import BaseSettings

from services.abtest.settings import AbtestSettings
from services.feedback.settings import FeedbackSettings
from services.gateway.settings import GatewaySettings
from services.ingest.settings import IngestSettings
from services.metrics.settings import MetricsSettings
from services.notify.settings import NotifySettings
from shared.settings import PREFIX

ROOT = Path(__file__).parent.parent
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)")
NAME = re.compile(r"^[A-Za-z0-9_.-]+")
SETTINGS: tuple[type[BaseSettings], ...] = (
    AbtestSettings,
    GatewaySettings,
    IngestSettings,
    MetricsSettings,
    NotifySettings,
    FeedbackSettings,
)


def main() -> None:
    """End with 1 and a line for each thing that is missing."""
    problems = [
        *_dead_links(),
        *_repeated_links(),
        *_undescribed_settings(),
        *_unexplained_dependencies(),
    ]
    if problems:
        sys.exit("\n".join(problems))


def _dead_links() -> list[str]:
    found: list[str] = []
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "sdk").glob("*.md")]:
        found += [
            f"{path.relative_to(ROOT)}: the link to {link} leads nowhere"
            for link in LINK.findall(path.read_text())
            if not (path.parent / link).exists()
        ]
    return found


def _repeated_links() -> list[str]:
    """Who reads the first page looks for a page once."""
    times = Counter(LINK.findall((ROOT / "README.md").read_text()))
    return [f"README.md: {link} is linked {n} times" for link, n in times.items() if n > 1]


def _undescribed_settings() -> list[str]:
    text = (ROOT / "docs" / "configuration.md").read_text()
    names = {f"{PREFIX}{name}".upper() for each in SETTINGS for name in each.model_fields}
    return [
        f"docs/configuration.md: {name} is missing" for name in sorted(names) if name not in text
    ]


def _unexplained_dependencies() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lists = [
        project["project"]["dependencies"],
        *project["project"]["optional-dependencies"].values(),
        *project["dependency-groups"].values(),
    ]
    names = {match[0] for each in lists for line in each if (match := NAME.match(line))}
    text = (ROOT / "docs" / "dependencies.md").read_text()
    return [
        f"docs/dependencies.md: {name} is missing"
        for name in sorted(names)
        if f"`{name}`" not in text
    ]


if __name__ == "__main__":
    main()
