"""The compose file as Docker reads it: included files in, variables at their defaults."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.support.image import ROOT

COMPOSE = ROOT / "deploy" / "compose.yaml"
VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")


def files() -> list[Path]:
    """The file, and those that it includes."""
    whole = yaml.safe_load(COMPOSE.read_text())
    return [COMPOSE, *(COMPOSE.parent / name for name in whole["include"])]


@cache
def composed() -> dict[str, dict[str, Any]]:
    """Services, networks, volumes and secrets by name."""
    found: dict[str, dict[str, Any]] = {}
    for path in files():
        text = VARIABLE.sub(lambda m: m[2] or "", path.read_text())
        for kind, content in yaml.safe_load(text).items():
            if isinstance(content, dict) and not kind.startswith("x-"):
                found.setdefault(kind, {}).update(content)
    return found


def environment_of(service: str) -> dict[str, str]:
    """What compose adds to the image's environment."""
    given = composed()["services"][service].get("environment", {})
    return {name: str(value) for name, value in given.items()}
