"""`docs/cli.md`: every command with its options and an example, made from the program itself.

`python -m deploy.cli_docs` writes it, `--check` ends with 1 when it differs.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from deploy.cli.examples import EXAMPLES
from deploy.cli.main import app

TARGET = Path(__file__).parent.parent / "docs" / "cli.md"
DEFAULT = re.compile(r"\s*\[default: (.+)\]$")
HEAD = """# The program `assay`

Made from the program by `python -m deploy.cli_docs`; do not edit.

Every command takes `--json`: one JSON value on standard output and nothing else there; progress and
errors go to standard error. A command that fails says what went wrong, why, and what is next, and
ends with exit code 1; one that was called wrongly ends with 2. What commands read from the
environment is in [configuration.md](configuration.md).

`assay --install-completion` teaches the shell (bash, zsh, fish, PowerShell) to complete commands
and options; `assay --show-completion` prints what it would install.

When something does not work, begin with [`assay doctor`](#assay-doctor).
"""


def page() -> str:
    """The whole page."""
    parts = [HEAD, _overview()]
    parts += [_section(path, command) for path, command in commands().items()]
    return "\n".join(parts)


def commands() -> dict[str, Any]:
    """Each command that does something, by its words."""
    return dict(_leaves(get_command(app)))


def _leaves(command: Any, *before: str) -> Iterator[tuple[str, Any]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield " ".join(before), command
        return
    for name, one in inner.items():
        yield from _leaves(one, *before, name)


def _overview() -> str:
    lines = [
        f"| [`assay {path}`](#{_anchor(path)}) | {_paragraphs(command)[0]} |"
        for path, command in _leaves(get_command(app))
    ]
    return "\n".join(["| command | what |", "|---|---|", *lines, ""])


def _section(path: str, command: Any) -> str:
    rows = [_row(one) for one in command.params if one.name != "help"]
    return "\n".join(
        [
            f"## assay {path}\n",
            *(f"{paragraph}\n" for paragraph in _paragraphs(command)),
            *(f"```sh\n{EXAMPLES[path]}\n```\n",),
            *("| option | default | meaning |", "|---|---|---|"),
            *rows,
            "",
        ]
    )


def _row(parameter: Any) -> str:
    """A default that the program finds out is told by its help, in brackets at the end."""
    is_argument = parameter.param_type_name == "argument"
    name = str(parameter.name).upper() if is_argument else ", ".join(parameter.opts)
    meaning = parameter.help
    default = parameter.default
    if told := DEFAULT.search(meaning):
        meaning, shown = DEFAULT.sub("", meaning), told[1]
    elif parameter.required:
        shown = "required"
    elif default is None or default is False or callable(default):
        shown = ""
    else:
        shown = f"`{getattr(default, 'value', default)}`"
    return f"| `{name}` | {shown} | {_cell(meaning)} |"


def _cell(text: str) -> str:
    return text.replace("|", "&#124;")


def _paragraphs(command: Any) -> list[str]:
    return [" ".join(one.split()) for one in command.help.split("\n\n")]


def _anchor(path: str) -> str:
    return f"assay {path}".replace(" ", "-")


def main() -> None:
    """Write the page, or with --check compare it."""
    content = page()
    if TARGET.exists() and TARGET.read_text() == content:
        return
    if "--check" in sys.argv:
        sys.exit("docs/cli.md is not what the program says; run python -m deploy.cli_docs")
    TARGET.write_text(content)


if __name__ == "__main__":
    main()
