"""How the program speaks: lines for people, JSON for programs, errors in three parts."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from deploy.cli.reasons import reason_of

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

AsJson = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]


def fail(what: str, why: str, then: str) -> NoReturn:
    """Say what went wrong, why, and what to do; exit 1."""
    lines = f"[red]{escape(what)}[/red]\n  why:  {escape(why)}\n  next: {escape(then)}"
    err.print(lines, markup=True, soft_wrap=True)
    raise typer.Exit(1)


def answer(content: Any, *, as_json: bool, text: str) -> None:
    """Print a result."""
    if as_json:
        print(json.dumps(content, default=str))
    else:
        out.print(text, markup=False, soft_wrap=True)


@contextmanager
def explained(what: str, then: str) -> Iterator[None]:
    """Turn whatever is raised inside into an explained failure."""
    try:
        yield
    except (typer.Exit, typer.Abort, KeyboardInterrupt):
        raise
    except SystemExit as error:
        if not isinstance(error.code, str):
            raise
        fail(what, error.code, then)
    except Exception as error:
        fail(what, *reason_of(error, then))
