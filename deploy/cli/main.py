"""All commands in one place."""

import logging

import typer

from deploy.cli.audit import audit
from deploy.cli.dlq import dlq
from deploy.cli.doctor import doctor
from deploy.cli.examples import with_examples
from deploy.cli.fences import fences
from deploy.cli.installing import roles, secrets
from deploy.cli.jobs import keys, migrate_command, topics
from deploy.cli.keys import list_command, revoke, rotate
from deploy.cli.publish import publish
from deploy.cli.retention import retention
from deploy.cli.run import demo, up
from deploy.cli.service import service
from deploy.cli.tenants import tenants
from deploy.cli.upkeep import rebuild, reconcile
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
app.command()(service)
app.command()(doctor)
app.command("migrate")(migrate_command)
app.command()(reconcile)
keys.command("list")(list_command)
keys.command()(revoke)
keys.command()(rotate)
app.add_typer(secrets, name="secrets", help="Secrets of an installation.")
app.add_typer(roles, name="roles", help="Roles of the services in Postgres.")
app.add_typer(topics, name="topics", help="Kafka topics.")
app.add_typer(keys, name="keys", help="API keys.")
app.add_typer(tenants, name="tenants", help="Tenants: what is kept of them.")
app.add_typer(rebuild, name="rebuild", help="What can be made anew from Postgres.")
app.add_typer(fences, name="fences", help="Where consumers stand in the log.")
app.add_typer(audit, name="audit", help="The audit log: who did what.")
app.add_typer(retention, name="retention", help="How long data is kept.")
app.add_typer(dlq, name="dlq", help="Dead letters: what could not be read.")

with_examples(app)
