"""The image as the Dockerfile describes it: what a container runs, and in which environment."""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAIR = re.compile(r'([A-Za-z_][A-Za-z0-9_]*)=("[^"]*"|\S*)')


@dataclass(frozen=True, slots=True)
class Instruction:
    """One line of a Dockerfile, continued lines joined."""

    name: str
    value: str


@cache
def instructions() -> tuple[Instruction, ...]:
    """All of them."""
    kept = [
        line
        for line in (ROOT / "Dockerfile").read_text().splitlines()
        if not line.lstrip().startswith("#")
    ]
    joined = "\n".join(kept).replace("\\\n", " ")
    return tuple(Instruction(*line.split(None, 1)) for line in joined.splitlines() if line.strip())


def last_stage() -> list[Instruction]:
    """What the image itself is made by."""
    found = instructions()
    begins = max(place for place, one in enumerate(found) if one.name == "FROM")
    return list(found[begins:])


def environment() -> dict[str, str]:
    """What the image sets; arguments of the build have their defaults."""
    given = {
        name: value.strip('"')
        for one in last_stage()
        if one.name == "ARG"
        for name, value in PAIR.findall(one.value)
    }
    found: dict[str, str] = {}
    for one in last_stage():
        if one.name == "ENV":
            for name, value in PAIR.findall(one.value):
                known = {**given, **found}
                found[name] = re.sub(
                    r"\$\{?(\w+)\}?", lambda m, k=known: k.get(m[1], m[0]), value.strip('"')
                )
    return found


def exec_form(name: str) -> list[str]:
    """The arguments of ENTRYPOINT or CMD; fails where they would go through a shell."""
    (only,) = [one.value for one in last_stage() if one.name == name]
    found = json.loads(only)
    assert isinstance(found, list)
    return found
