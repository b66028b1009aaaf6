"""`assay service`: how a container runs a service, for months; so it loads nothing else."""

import importlib
from typing import Annotated

import typer

from deploy.cli.examples import with_examples
from deploy.names import SERVICES

alone = typer.Typer(pretty_exceptions_show_locals=False)


@alone.callback()
def _alone() -> None:
    """Let `service` stay a word of the command line, though there is no other here."""


@alone.command()
def service(
    name: Annotated[str, typer.Argument(envvar="SERVICE", help=f"One of: {', '.join(SERVICES)}.")],
    as_json: Annotated[  # what every command takes
        bool, typer.Option("--json", help="Its log is JSON lines, with or without this.")
    ] = False,
) -> None:
    """Run one service in the foreground: how a container runs it.

    A server that is away is waited for; what the service waits for, its log says.
    """
    if name not in SERVICES:
        raise typer.BadParameter(f"there is no service {name!r}; services: {', '.join(SERVICES)}")
    run = importlib.import_module(f"services.{name}.__main__").main
    try:
        run()
    except SystemExit as error:  # anything else belongs whole into the log
        if not isinstance(error.code, str):
            raise
        from deploy.cli.say import fail  # noqa: PLC0415

        fail(f"{name} did not start.", error.code, "mend it; docs/configuration.md has them all")


with_examples(alone)
