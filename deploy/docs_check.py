"""Check that the docs are whole: links lead somewhere, all is listed and described."""

import re
import sys
import tomllib
from collections import Counter
from pathlib import Path

from deploy.known_settings import service_settings

ROOT = Path(__file__).parent.parent
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)")
TEST = re.compile(r"`(tests/[^`\s]+|test_[a-z0-9_*]+\.py)`")
NAME = re.compile(r"^[A-Za-z0-9_.-]+")


def main() -> None:
    """End with 1 and a line for each thing that is missing."""
    problems = [
        *_dead_links(),
        *_repeated_links(),
        *_dead_tests(),
        *_unlisted_pages(),
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


def _dead_tests() -> list[str]:
    """A test that is named as evidence exists; one without a folder is beside the one before it."""
    found: list[str] = []
    for path in (ROOT / "docs").rglob("*.md"):
        folder = Path()
        for named in TEST.findall(path.read_text()):
            folder = Path(named).parent if "/" in named else folder
            if not any(ROOT.glob(str(folder / Path(named).name))):
                found.append(f"{path.relative_to(ROOT)}: there is no {folder / Path(named).name}")
    return found


def _unlisted_pages() -> list[str]:
    """A page that is not in the site's contents is found by nobody."""
    contents = (ROOT / "zensical.toml").read_text()
    pages = (str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md"))
    return [
        f"zensical.toml: docs/{page} is not among its pages"
        for page in sorted(pages)
        if f'"{page}"' not in contents
    ]


def _undescribed_settings() -> list[str]:
    text = (ROOT / "docs" / "configuration.md").read_text()
    return [
        f"docs/configuration.md: {name} is missing"
        for name in sorted(service_settings())
        if name not in text
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
