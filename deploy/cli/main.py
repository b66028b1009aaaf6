"""All commands in one place."""

import importlib
import logging
from typing import Annotated

import typer

from deploy.cli.dlq import dlq
from deploy.cli.fences import fences
from deploy.cli.jobs import keys, migrate_command, topics
from deploy.cli.publish import publish
from deploy.cli.run import demo, up
from deploy.cli.upkeep import rebuild, reconcile
from deploy.system import SERVICES
from shared.logs import configure_logging

app = typer.Typer(
    help="Assay watches the AI models that your agents use.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)


@app.callback()
def _quiet(context: typer.Context) -> None:
    """Leave standard output to answers; a service that is started here sets its own level."""
    configure_logging("cli", "warning")
    # A broker that is still starting is no error to a person; one that stays away is said by us.
    if context.invoked_subcommand != service.__name__:
        logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


app.command()(up)
app.command()(demo)
app.command()(publish)
app.command("migrate")(migrate_command)
app.command()(reconcile)
app.add_typer(topics, name="topics", help="Kafka topics.")
app.add_typer(keys, name="keys", help="API keys.")
app.add_typer(rebuild, name="rebuild", help="What can be made anew from Postgres.")
app.add_typer(fences, name="fences", help="Where consumers stand in the log.")
app.add_typer(dlq, name="dlq", help="Dead letters: what could not be read.")


@app.command()
def service(name: Annotated[str, typer.Argument(help=f"One of: {', '.join(SERVICES)}.")]) -> None:
    """Run one service in the foreground: how a container runs it."""
    if name not in SERVICES:
        raise typer.BadParameter(f"there is no service {name!r}; services: {', '.join(SERVICES)}")
    importlib.import_module(f"services.{name}.__main__").main()
