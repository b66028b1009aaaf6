"""The examples of the docs: every fenced block, and every statement of a shell's block."""

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
ELSEWHERE = {ROOT / "docs" / "cli.md"}
"""Made from the program: tests/unit/cli. (The SDK's page is tried in tests/unit/sdk.)"""
FENCE = re.compile(r"^```(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = re.compile(r"<!-- ([a-z ]+): ([^\n]+) -->\n\Z")
# Two blanks before it, so that nothing within an argument is taken for a comment.
REMARK = re.compile(r"(?:^|  )# (.*)$")
ASKS_ONLY = re.compile(r"\s(-d|-X|--data\S*|-T)\b|assay (?!dlq list)|^\w+=|\|")


@dataclass(frozen=True)
class Block:
    """One fenced block; `mark` is the comment before it, such as `not run: …`."""

    page: str
    line: int
    language: str
    text: str
    mark: str = ""
    argument: str = ""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Statement:
    """What a person pastes at once, and what its comments promise."""

    code: str
    remarks: tuple[str, ...]

    @property
    def status(self) -> int | None:
        """The status of HTTP that is promised: a remark that begins with three digits."""
        found = [int(remark[:3]) for remark in self.remarks if re.match(r"\d{3}\b", remark)]
        return found[0] if found else None

    @property
    def answers(self) -> list[str]:
        """JSON that is promised, in which `…` is whatever it is."""
        shorn = (re.sub(r"^\d{3}\b:?\s*", "", remark) for remark in self.remarks)
        return [remark for remark in shorn if remark.startswith(("{", "["))]

    @property
    def asks_only(self) -> bool:
        """It changes nothing, so it may be asked again until what was sent is counted."""
        return not ASKS_ONLY.search(self.code)


def pages() -> list[Path]:
    """Every page with examples, but those that have a test of their own."""
    found = {ROOT / "README.md", *(ROOT / "docs").rglob("*.md")} - ELSEWHERE
    return sorted(path for path in found if "```" in path.read_text())


def blocks(path: Path, name: str | None = None) -> list[Block]:
    """The fenced blocks of a page, in order."""
    text = path.read_text()
    page = name or str(path.relative_to(ROOT))
    found = []
    for fence in FENCE.finditer(text):
        mark = MARK.search(text[: fence.start()])
        kind, argument = (mark[1], mark[2]) if mark else ("", "")
        line = text.count("\n", 0, fence.start()) + 1
        found.append(Block(page, line, fence[1], fence[2], kind, argument))
    return found


def statements(text: str) -> Iterator[Statement]:
    """A shell's block, statement by statement; a comment belongs to what stands before it."""
    code, remarks = "", []
    pending = ""
    for line in text.splitlines():
        if not pending and (line.startswith("# ") or not line.strip()):
            remarks += [line[2:]] if line.startswith("# ") else []
            continue
        if not pending and code:
            yield Statement(code, tuple(remarks))
            code, remarks = "", []
        pending += line + "\n"
        if not line.endswith("\\") and complete(pending):
            code, pending = pending, ""
            remarks = [found[1]] if (found := REMARK.search(line)) else []
    if pending:
        raise ValueError(f"this never ends: {pending}")
    if code:
        yield Statement(code, tuple(remarks))


def complete(code: str) -> bool:
    """Whether bash would run it, or wait for more."""
    done = subprocess.run(
        ["bash", "-O", "expand_aliases", "-n"],
        input=code,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode == 0 and "here-document" not in done.stderr


def like(promised: str, said: str) -> bool:
    """Whether an answer holds what a remark promises, blanks apart."""
    parts = (re.escape(re.sub(r"\s", "", part)) for part in promised.split("…"))
    return re.search(".*".join(parts), re.sub(r"\s", "", said)) is not None


def differences(shown: Any, said: Any, where: str = "") -> list[str]:
    """Where an answer has not the shape that a page shows; `…` stands for more.

    Words that could be a name (`SHIP`, `success_rate`), truths and nulls are the same; numbers,
    times and sentences only are there.
    """
    if shown == "…":
        return []
    if isinstance(shown, dict) and isinstance(said, dict):
        found = []
        for name, value in shown.items():
            if name != "…" and name not in said:
                found.append(f"{where}/{name} is not there")
            elif name != "…":
                found += differences(value, said[name], f"{where}/{name}")
        return found
    if isinstance(shown, list) and isinstance(said, list):
        if len(shown) > len(said) + ("…" in shown):
            return [f"{where} has {len(said)} items"]
        pairs = zip(shown, said, strict=False)
        return [each for n, pair in enumerate(pairs) for each in differences(*pair, f"{where}/{n}")]
    named = isinstance(shown, str) and re.fullmatch(r"[A-Za-z_.]+", shown)
    if named or shown is None or isinstance(shown, bool):
        return [] if shown == said else [f"{where} is {said!r}, shown is {shown!r}"]
    number = (int, float)
    kind = number if isinstance(shown, number) else type(shown)
    fits = isinstance(said, kind) and not isinstance(said, bool)
    return [] if fits else [f"{where} is {said!r}, shown is {shown!r}"]


def parsed(text: str) -> list[Any]:
    """One JSON document, or one in each line."""
    try:
        return [json.loads(text)]
    except ValueError:
        return [json.loads(line) for line in text.splitlines()]
